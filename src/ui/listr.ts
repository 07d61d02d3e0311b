import { Listr, ListrLogger, ProcessOutput, type ListrTask } from "listr2";
import type { ProgressEvent, StepTitle } from "../migration/progress.js";
import { formatDuration } from "../units.js";
import { Drawn } from "./drawn.js";
import type { Display } from "./display.js";
import { moved } from "./moved.js";
import { roundText } from "./round.js";

/** What is drawn of one migration. A failed step is kept turning until the undoing is over. */
interface Board {
  title: string;
  steps: Map<string, Drawn>;
  failing: Drawn | null;
}

type StepShown = Exclude<ProgressEvent, { kind: "planned" | "closed" | "undone" }>;

/** Draws on stderr. It only draws: what happens, fails or is undone was decided before it hears of it. */
export class ListrDisplay implements Display {
  readonly #boards = new Map<string, Board>();
  #run: Promise<unknown> | undefined;

  readonly progress = (event: ProgressEvent): void => {
    if (event.kind === "planned") return this.#plan(event.migration, event.title, event.steps);
    this.#run ??= draw([...this.#boards.values()]);
    const board = this.#boards.get(event.migration);
    if (board !== undefined) show(board, event);
  };

  async end(): Promise<void> {
    for (const board of this.#boards.values()) for (const step of board.steps.values()) step.end();
    await this.#run;
  }

  #plan(migration: string, title: string, steps: readonly StepTitle[]): void {
    this.#boards.set(migration, {
      title,
      failing: null,
      steps: new Map(steps.map((step) => [step.name, new Drawn(step.title)])),
    });
  }
}

function show(board: Board, event: Exclude<ProgressEvent, { kind: "planned" }>): void {
  if (event.kind === "closed") return close(board, event);
  const step = board.steps.get(event.step);
  if (event.kind === "failed") board.failing = step ?? null;
  if (event.kind === "undone") board.failing?.say(`undone: ${event.step}: ${event.found}`);
  else if (step !== undefined) showStep(step, event);
}

function showStep(step: Drawn, event: StepShown): void {
  switch (event.kind) {
    case "started":
      return;
    case "moved":
      return step.say(moved(event));
    case "round":
      return step.keep(roundText(event.round));
    case "said":
      return step.say(event.text);
    case "stands":
      return step.stand(event.text);
    case "ended":
      return step.end(formatDuration(event.ms));
    case "failed":
      return step.say(event.message);
  }
}

function close(board: Board, { ok, text }: { ok: boolean; text: string }): void {
  if (!ok) board.failing?.fail(text);
  for (const step of board.steps.values()) step.end();
}

async function draw(boards: readonly Board[]): Promise<void> {
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const tasks = new Listr(boards.map(boardTask), {
    concurrent: true,
    exitOnError: false,
    collectErrors: false,
    registerSignalListeners: false,
    rendererOptions: {
      logger: new ListrLogger({ processOutput }),
      collapseSubtasks: false,
      collapseErrors: false,
    },
  });
  await tasks.run();
}

function boardTask({ title, steps }: Board): ListrTask {
  const tasks = [...steps.values()].map((drawn): ListrTask => ({
    title: drawn.title,
    task: (_context, task) => drawn.until(task),
  }));
  return { title, task: (_context, task) => task.newListr(tasks, { concurrent: false, exitOnError: true }) };
}
