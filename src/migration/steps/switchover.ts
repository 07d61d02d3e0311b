import type { MigrationView } from "../../daemon/api.js";
import { exitCodes, FastmigError } from "../../errors.js";
import { formatDuration } from "../../units.js";
import { inDoubt, type MigrationContext } from "../context.js";
import { Meter } from "../progress.js";
import { see } from "../see.js";
import type { Step } from "../step.js";
import { closeLine, lineOf, type Line } from "../line.js";
import { onceIdle } from "../precopy/round.js";
import { liftThrottle } from "../precopy/run.js";
import { askToAbort, failureLines, isView, lastViews, watchToTheEnd, type Both } from "../watch.js";

/** Beyond the daemons' own limits, before we say that nobody knows. */
const patienceMs = 30_000;

/** Freeze, dump, transfer, restore, release, resume: the daemons do it between themselves, this starts it and watches. */
export const switchover: Step<MigrationContext> = {
  name: "switchover",
  title: "Switch over",
  kind: "reversible",
  run: async (context, signal) => {
    try {
      await begin(context, await lineOf(context));
      await seeThrough(context, signal);
    } finally {
      await liftThrottle(context);
      await closeLine(context);
    }
  },
  undo: async (context) => {
    if (!context.switching) return "nothing was frozen";
    await askToAbort(context);
    const { judgement } = await watchToTheEnd(context, { within: context.migration.lease + patienceMs });
    if (judgement === "rolledBack") return `${context.source.name} has ${context.service.name} again`;
    throw inDoubt(
      `${context.service.name} runs on ${context.destination.name}, but the migration is not finished`,
      { hint: `\`fastmig resume ${context.id}\` finishes it` },
    );
  },
};

async function begin(context: MigrationContext, line: Line): Promise<void> {
  const { source, id, migration, service, journal } = context;
  await journal?.append({ kind: "step", step: "switchover", state: "begun", detail: context.transfer.mode });
  const daemon = await source.daemon();
  context.switching = true;
  try {
    const request = {
      peer: line.peer,
      preserve: service.preserve,
      lease: migration.lease,
      deadline: migration.deadline,
      bandwidth: migration.bandwidth.final,
    };
    await onceIdle(() => daemon.switchover(id, request));
  } catch (thrown) {
    const seen = await see(source, id);
    // The answer may be lost where the question was not: the source's state says which.
    if (isView(seen) && seen.state === "opened") throw thrown;
  }
}

async function seeThrough(context: MigrationContext, signal: AbortSignal | undefined): Promise<void> {
  const within = context.migration.deadline + context.migration.lease + patienceMs;
  const { both, judgement } = await watchToTheEnd(context, { within, signal, each: drawing(context) });
  if (judgement === "rolledBack")
    throw signal?.aborted === true ? (signal.reason as Error) : whyNot(context, both);
  context.views = await lastViews(context, both);
}

function drawing({ tell }: MigrationContext): (both: Both) => void {
  const meter = new Meter((bytes, total, rate) => tell({ kind: "moved", bytes, total, rate }));
  let frozenAt: number | null = null;
  return ({ source }) => {
    if (!isView(source)) return;
    if (source.transfer.total > 0) meter.update(source.transfer.bytes, source.transfer.total);
    if (source.state === "opened") return;
    frozenAt ??= performance.now();
    tell({
      kind: "stands",
      text: `${source.state}, frozen for ${formatDuration(performance.now() - frozenAt)}`,
    });
  };
}

/** The destination's reason is the cause where the source only heard of it. */
function whyNot(context: MigrationContext, both: Both): FastmigError {
  if (context.obstacle !== null)
    return new FastmigError(`the switchover was given up: ${context.obstacle}`, {
      code: "SWITCHOVER_FAILED",
      exit: exitCodes.rolledBack,
      hint: `look why: journalctl and dmesg on ${context.destination.name}; was memory short?`,
    });
  const failure =
    [both.destination, both.source]
      .filter(isView)
      .map((view: MigrationView) => view.failure)
      .find((one) => one !== null && one.step !== "peer" && one.step !== "abort") ?? firstFailure(both);
  const where =
    isView(both.destination) && both.destination.failure === failure
      ? context.destination.name
      : context.source.name;
  return new FastmigError(
    `the switchover failed on ${where}: ${failure === null ? "no reason given" : `${failure.step}: ${failure.message}`}`,
    {
      code: "SWITCHOVER_FAILED",
      exit: exitCodes.rolledBack,
      details: failure?.log ?? [both.source, both.destination].flatMap(failureLines),
      ...(failure?.hint === null || failure?.hint === undefined ? {} : { hint: failure.hint }),
    },
  );
}

function firstFailure({ source, destination }: Both): MigrationView["failure"] {
  return [source, destination].filter(isView).find((view) => view.failure !== null)?.failure ?? null;
}
