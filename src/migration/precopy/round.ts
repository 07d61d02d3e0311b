import type { MigrationView, Round } from "../../daemon/api.js";
import { exitCodes, FastmigError } from "../../errors.js";
import { pause } from "../../wait.js";
import type { MigrationContext } from "../context.js";
import { closeLine, lineOf } from "../line.js";
import { Meter } from "../progress.js";
import { isRoundUnderWay } from "../../remote/daemon-client.js";
import { see } from "../see.js";
import { isView } from "../watch.js";

/** Milliseconds until a question that was asked in vain is asked again. */
const interval = 100;
/** How long the source may be silent: it goes on serving meanwhile. */
const silentMs = 30_000;

/** What the source says as soon as no round of it is under way. */
export async function settledRounds(
  context: MigrationContext,
  signal: AbortSignal | undefined,
  each: (round: Round) => void = () => undefined,
): Promise<MigrationView> {
  for (;;) {
    const view = await sourceView(context, signal);
    const last = view.rounds.at(-1);
    if (last === undefined || last.state === "done" || last.state === "failed") return view;
    each(last);
    signal?.throwIfAborted();
  }
}

/** One round, from its beginning to its end; whether it failed is in what the source says then. `last`: the newest before it. */
export async function makeRound(
  context: MigrationContext,
  last: number,
  signal: AbortSignal | undefined,
): Promise<MigrationView> {
  await begin(context, last);
  const meter = new Meter((bytes, total, rate) => context.tell({ kind: "moved", bytes, total, rate }));
  const view = await settledRounds(context, signal, ({ shipped, bytes }) => {
    if (bytes > 0) meter.update(shipped, bytes);
  });
  // Whatever cut it may have cut the line too.
  if (view.rounds.at(-1)?.state === "failed") await closeLine(context).catch(() => undefined);
  return view;
}

async function begin(context: MigrationContext, last: number): Promise<void> {
  const { source, id, migration } = context;
  const { peer } = await lineOf(context);
  try {
    const daemon = await source.daemon();
    await onceIdle(() => daemon.round(id, { peer, bandwidth: migration.bandwidth.rounds }));
  } catch (thrown) {
    const seen = await see(source, id);
    // The answer may be lost where the question was not: a round more says so.
    if (!isView(seen) || (seen.rounds.at(-1)?.number ?? 0) <= last) throw thrown;
  }
}

/** A round is told to be over a moment before the daemon takes the next question. */
export async function onceIdle<T>(ask: () => Promise<T>): Promise<T> {
  const end = performance.now() + silentMs;
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      if (!isRoundUnderWay(thrown) || performance.now() > end) throw thrown;
    }
    await pause(interval);
  }
}

/** The source's word, as long as it has the migration open; a silent source is asked again for a while. */
async function sourceView(
  context: MigrationContext,
  signal: AbortSignal | undefined,
): Promise<MigrationView> {
  const { source, id } = context;
  const end = performance.now() + silentMs;
  for (;;) {
    const seen = await see(source, id, { signal });
    if (isView(seen) && seen.state === "opened") return seen;
    if (seen !== "silent") throw givenUp(context, isView(seen) ? seen.state : seen);
    if (performance.now() > end) throw silent(context);
    await pause(interval, signal);
  }
}

function givenUp({ id, source }: MigrationContext, state: string): FastmigError {
  return new FastmigError(`migration ${id} is not open on ${source.name} any more: it says ${state}`, {
    code: "GIVEN_UP",
    exit: exitCodes.rolledBack,
    hint: "somebody aborted it, or the service ended: `fastmig status PLAN`",
  });
}

function silent({ id, source }: MigrationContext): FastmigError {
  return new FastmigError(`${source.name} does not answer in the middle of the rounds`, {
    code: "SOURCE_SILENT",
    exit: exitCodes.unreachable,
    hint: `nothing is frozen; once it answers: \`fastmig resume ${id}\``,
  });
}
