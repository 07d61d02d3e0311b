import type { MigrationView } from "../daemon/api.js";
import { pause } from "../wait.js";
import { inspectContainer } from "./containers.js";
import { inDoubt, type MigrationContext } from "./context.js";
import { isOnlyCopy, judge, proofToCarry, type Judgement, type Seen } from "./judge.js";
import { see, type Patience } from "./see.js";

export interface Both {
  source: Seen;
  destination: Seen;
}

export interface WatchOptions {
  /** Milliseconds until the watch gives up: then nobody knows. */
  within: number;
  /** When it aborts, both daemons are asked to abort, once; what then comes is watched to its end. */
  signal?: AbortSignal | undefined;
  each?: (both: Both, judgement: Judgement) => void;
}

export interface Ending {
  both: Both;
  judgement: "committed" | "rolledBack";
}

/** Milliseconds between two looks at least, where nothing is under way or nobody answers. */
const interval = 250;
/** How long the daemons may take to hand the proof over between themselves before we carry it. */
const handOverMs = 1000;
/** How long a destination may be silent before its node is asked whether its container still runs. */
const silenceMs = 1000;
/** How long a destination may take to discard what the source took back. */
const discardMs = 10_000;

export async function seeBoth(
  { source, destination, id }: MigrationContext,
  patience?: Patience,
): Promise<Both> {
  const [theirs, ours] = await Promise.all([see(source, id, patience), see(destination, id, patience)]);
  return { source: theirs, destination: ours };
}

/**
 * What the report is made of. The source is at rest when it has heard that the destination runs: only then does its own
 * clock know the blackout, and before it may have told less than the destination has done.
 *
 * @param before stands in for whoever does not answer any more.
 */
export async function lastViews(
  context: MigrationContext,
  before?: Both,
): Promise<MigrationContext["views"]> {
  const now = await seeBoth(context, {});
  const source = isView(now.source) ? now.source : before?.source;
  const destination = isView(now.destination) ? now.destination : before?.destination;
  return isView(source) && isView(destination) ? { source, destination } : null;
}

/** What they said a second apart may not fit together: then both are asked again, at once. */
async function seeAtRest(context: MigrationContext, signal: AbortSignal | undefined): Promise<Both> {
  const both = await seeBoth(context, { signal });
  return judge(both.source, both.destination) === "inDoubt" ? seeBoth(context) : both;
}

/** Watches both daemons until the service has one owner. Throws IN_DOUBT (exit 6) where that cannot be said. */
export async function watchToTheEnd(context: MigrationContext, options: WatchOptions): Promise<Ending> {
  const end = performance.now() + options.within;
  const nudge = nudging(context, options.signal);
  for (;;) {
    const asked = performance.now();
    const both = await seeAtRest(context, options.signal);
    const judgement = judge(both.source, both.destination);
    options.each?.(both, judgement);
    if (judgement === "committed") return { both, judgement };
    if (judgement === "rolledBack") return { both: await discarded(context, both), judgement };
    if ((judgement === "inDoubt" && isSaid(both)) || performance.now() > end) throw doubt(context, both);
    await nudge(both, judgement);
    await pause(Math.max(0, interval - (performance.now() - asked)));
  }
}

/** What is done while watching: the abort that was asked for, once, and the proof that the daemons could not pass on themselves. */
function nudging(
  context: MigrationContext,
  signal: AbortSignal | undefined,
): (both: Both, judgement: Judgement) => Promise<void> {
  let asked = false;
  let releasedAt = Infinity;
  let silentSince = Infinity;
  return async (both, judgement) => {
    silentSince = both.destination === "silent" ? Math.min(silentSince, performance.now()) : Infinity;
    const hopeless =
      judgement === "open" && performance.now() - silentSince > silenceMs && (await isGone(context));
    if ((signal?.aborted === true || hopeless) && !asked) {
      asked = true;
      if (hopeless) context.obstacle = `the standby on ${context.destination.name} has stopped`;
      await askToAbort(context);
    }
    releasedAt = judgement === "released" ? Math.min(releasedAt, performance.now()) : Infinity;
    if (performance.now() - releasedAt > handOverMs) await carryProof(context, both);
  };
}

/** The program died before the source knew of the migration, so that nothing was ever frozen. */
export function neverOpened({ journal }: MigrationContext, { source, destination }: Both): boolean {
  const switched =
    journal?.entries.some((entry) => entry.kind === "step" && entry.step === "switchover") ?? true;
  return (
    !switched && source === "unknown" && (typeof destination === "string" || destination.state === "opened")
  );
}

/** The destination's container is seen stopped: the source need not stay frozen until its lease is over. */
async function isGone({ destination, service }: MigrationContext): Promise<boolean> {
  const container = await inspectContainer(destination, service.name).catch(() => undefined);
  return container === null || container?.running === false;
}

/** Both answered: waiting longer brings nothing. */
function isSaid({ source, destination }: Both): boolean {
  return source !== "silent" && destination !== "silent";
}

/**
 * Asks; the state that comes is what counts. The source decides, so it is asked first.
 * False: nobody was asked, because what the destination may hold is the only copy.
 */
export async function askToAbort(context: MigrationContext): Promise<boolean> {
  const { source, destination, id } = context;
  const both = await seeBoth(context);
  if (isOnlyCopy(both.source, both.destination)) return false;
  for (const site of [source, destination]) {
    await site
      .daemon()
      .then((daemon) => daemon.abort(id))
      .catch(() => undefined);
  }
  return true;
}

export function onlyCopy({ id, service, source, destination }: MigrationContext): Error {
  return inDoubt(
    `${source.name} lost ${service.name} with its container while it was frozen: only ${destination.name} can have it`,
    {
      hint: [
        `as soon as ${destination.name} answers: \`fastmig resume ${id}\``,
        `where it never will: \`fastmig resolve ${id} --keep source --i-have-fenced ${destination.name}\``,
      ],
    },
  );
}

/** Tells the destination that the source's tree is dead, where the daemons could not do it between themselves. */
export async function carryProof({ destination, id }: MigrationContext, both: Both): Promise<boolean> {
  const proof = proofToCarry(both.source, both.destination);
  if (proof === null) return false;
  await (await destination.daemon()).released(id, proof).catch(() => undefined);
  return true;
}

/** Where the daemons cannot hear each other any more, the source's answer is carried to the destination: only on it may it discard. */
export async function discarded(context: MigrationContext, both: Both): Promise<Both> {
  const end = performance.now() + discardMs;
  let last = both;
  if (!isOver(last.destination)) await tellAborted(context);
  while (!isOver(last.destination) && performance.now() < end) {
    await pause(interval);
    last = { source: both.source, destination: await see(context.destination, context.id) };
  }
  return last;
}

async function tellAborted({ destination, id }: MigrationContext): Promise<void> {
  await destination
    .daemon()
    .then((daemon) => daemon.abort(id, { sourceAborted: true }))
    .catch(() => undefined);
}

function isOver(seen: Seen): boolean {
  return typeof seen === "string" || seen.state === "discarded";
}

export function doubt({ id, service, source, destination }: MigrationContext, both: Both): Error {
  return inDoubt(
    `nobody can say yet who has ${service.name}: ${source.name} ${said(both.source)}, ${destination.name} ${said(both.destination)}`,
    {
      details: [both.source, both.destination].flatMap(failureLines),
      hint: [
        "nothing was removed: a held copy waits as long as it takes",
        `when both nodes answer again: \`fastmig resume ${id}\`; where one never will: \`fastmig resolve ${id} --keep source|destination --i-have-fenced NODE\``,
      ],
    },
  );
}

function said(seen: Seen): string {
  if (seen === "silent") return "does not answer";
  return seen === "unknown"
    ? "does not know the migration"
    : `says ${seen.state}${seen.verdict === null ? "" : ` (verdict ${seen.verdict})`}`;
}

export function failureLines(seen: Seen): string[] {
  return typeof seen === "string" || seen.failure === null
    ? []
    : [`${seen.failure.step}: ${seen.failure.message}`, ...seen.failure.log];
}

export function isView(seen: Seen | undefined): seen is MigrationView {
  return typeof seen === "object";
}
