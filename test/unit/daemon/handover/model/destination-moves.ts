/** The destination: its daemon by its table, CRIU and our hook in it, which go on without the daemon. */
import {
  transition,
  type DestinationAction,
  type DestinationEvent,
} from "../../../../../src/daemon/handover/table.js";
import type { Rules } from "./rules.js";
import { destination, note, say, including, without, type Move, type World } from "./world.js";

const step = (name: string, to: World): Move => ({ name: `destination: ${name}`, by: "program", to });

export function destinationMoves(rules: Rules, world: World): Move[] {
  return [...criuMoves(rules, world), ...(world.destination.up ? daemonMoves(rules, world) : [])];
}

/** It has every byte, and waits for the verdict or works towards holding it. */
export function holdsAll({ destination: { state } }: World): boolean {
  return ["restoring", "prepared", "reviving", "inDoubt", "resuming", "running"].includes(state);
}

/** For good: whoever has seen it may confirm it at any time. */
export function hasRun({ destination: { state, verdict } }: World): boolean {
  return state === "running" || (state === "confirmed" && verdict === "running");
}

export function take(rules: Rules, world: World, event: DestinationEvent): World {
  const { state, doing } = world.destination;
  const row = transition(rules.destination, state, event);
  if (row === undefined) return world;
  // Taking over changes nothing here, and would only double the worlds.
  const begun = row.do.filter((action) => action !== "takeOver").reduce(including, doing);
  return destination(world, { state: row.to, reborn: false, doing: begun });
}

const hear = (world: World, event: DestinationEvent): World =>
  destination(world, { heard: [...world.destination.heard, event] });

function daemonMoves(rules: Rules, world: World): Move[] {
  const { heard, doing, closed } = world.destination;
  if (closed) return [];
  const [event, ...later] = heard;
  const moves: Move[] =
    event === undefined
      ? words(rules, world)
      : [step(`hears ${event}`, take(rules, destination(world, { heard: later }), event))];
  for (const action of doing)
    for (const [name, to] of deeds[action](rules, world)) moves.push(step(name, to));
  return [...moves, ...following(world)];
}

/** What arrives from the source, or from whoever saw there what it says. */
function words(rules: Rules, world: World): Move[] {
  const { state } = world.destination;
  const moves: Move[] = [];
  if (state === "opened") moves.push(step("takes a segment", take(rules, world, "segment")));
  if (world.said.includes("final")) moves.push(...asked(rules, world));
  moves.push(step("is told to abort", take(rules, world, "abort")));
  for (const word of ["sourceAborted", "released"] as const)
    if (world.said.includes(word)) moves.push(step(`is told ${word}`, take(rules, world, word)));
  if (hasRun(world)) moves.push(step("is told that it is confirmed", take(rules, world, "confirm")));
  return moves;
}

/** Everything is there, and verified; asked again, it answers how it stands. */
function asked(rules: Rules, world: World): Move[] {
  const { state } = world.destination;
  if (state === "opened" || state === "receiving")
    return [step("has everything", take(rules, destination(world, { images: true }), "final"))];
  if (state === "prepared") return [step("answers prepared", say(world, "prepared"))];
  if (state === "inDoubt" || state === "discarded") return [step("answers no", say(world, "refused"))];
  return [];
}

function following(world: World): Move[] {
  const { follows, copy } = world.destination;
  // That it held stays on the disk, whatever came of it.
  if (follows === "work" && copy !== "none")
    return [step("sees CRIU hold", hear(destination(world, { follows: "held" }), "held"))];
  if ((follows !== "work" && follows !== "held") || isWorking(world)) return [];
  const event = follows === "work" ? "restoreFailed" : "criuEnded";
  return [step("sees CRIU's end", hear(destination(world, { follows: "end" }), event))];
}

function isWorking({ destination: { criu } }: World): boolean {
  return criu === "restoring" || criu === "held" || criu === "letting" || criu === "touched";
}

type Deed = (rules: Rules, world: World) => [name: string, to: World][];

const done = (world: World, action: DestinationAction): World =>
  destination(world, { doing: without(world.destination.doing, action) });

const decide =
  (verdict: "running" | "aborted", action: DestinationAction): Deed =>
  (rules, world) => {
    const first = world.destination.verdict === null || !rules.verdictStands;
    const standing = first ? verdict : world.destination.verdict;
    const decided = destination(done(world, action), { verdict: standing });
    return [[action, hear(decided, standing === "running" ? "verdictRunning" : "verdictAborted")]];
  };

/** What an earlier try left is killed first. */
const restore: Deed = (_rules, world) => {
  const after = done(done(world, "restore"), "watchRestore");
  if (!after.destination.images) return [["has no images", hear(after, "restoreFailed")]];
  const anew = { copy: "none", criu: "restoring", trace: "none", follows: "work" } as const;
  return [["restores", destination(after, anew)]];
};

const deeds: Record<DestinationAction, Deed> = {
  restore,
  watchRestore: (rules, world) => {
    const after = done(world, "watchRestore");
    if (isWorking(world)) return [["finds its CRIU", destination(after, { follows: "work" })]];
    const { state } = world.destination;
    if (state === "prepared") return [["finds no CRIU", hear(after, "criuEnded")]];
    const stale = state !== "restoring" && state !== "reviving";
    return stale && rules.lateDeedsDropped ? [["comes too late", after]] : restore(rules, world);
  },
  createRunning: decide("running", "createRunning"),
  createAborted: decide("aborted", "createAborted"),
  awaitResume: (_rules, world) => {
    if (isWorking(world)) return [];
    const after = done(world, "awaitResume");
    const { trace, failedBefore } = world.destination;
    if (trace === "statistics") return [["sees it resumed", hear(after, "resumed")]];
    if (trace === "touched" || failedBefore) return [["cannot say", hear(after, "resumeUnsure")]];
    return [["sees it untouched", hear(destination(after, { failedBefore: true }), "resumeFailed")]];
  },
  takeOver: (_rules, world) => [["takes over", done(world, "takeOver")]],
  examineVerdict: (_rules, world) => {
    const event = world.destination.verdict === "running" ? "resumed" : "resumeUnsure";
    return [["looks whether it ran", hear(done(world, "examineVerdict"), event)]];
  },
  discard: (_rules, world) => {
    const ended = destination(done(world, "discard"), { copy: "none", criu: "ended" });
    return [["discards", hear(ended, "discarded")]];
  },
  close: (_rules, world) => [
    ["closes", destination(world, { closed: true, images: false, doing: [], heard: [], follows: "nothing" })],
  ],
};

/** CRIU and its hook obey the verdict file alone. */
function criuMoves(rules: Rules, world: World): Move[] {
  const { criu, verdict, copy } = world.destination;
  switch (criu) {
    case "restoring":
      return [step("CRIU has restored all", destination(world, { criu: "held", copy: "held" }))];
    case "held":
      if (verdict === "aborted")
        return [step("CRIU kills its copy", destination(world, { criu: "ended", copy: "none" }))];
      if (verdict === null && rules.runningFirst) return [];
      return [step("the hook lets it go", destination(world, { criu: "letting" }))];
    case "letting":
      return [step("CRIU notes its PID", destination(world, { criu: "touched", trace: "touched" }))];
    case "touched":
      return copy === "runs"
        ? [step("CRIU ends", destination(world, { criu: "ended", trace: "statistics" }))]
        : [step("a task runs", note(destination(world, { copy: "runs" }), { ran: true }))];
    default:
      return [];
  }
}

/** SIGKILL for CRIU. What it has not let go is wedged. */
export function killedCriu(world: World): World[] {
  if (!isWorking(world)) return [];
  const { copy } = world.destination;
  return [destination(world, { criu: "ended", copy: copy === "held" ? "wedged" : copy })];
}

/** It finds something that it cannot restore. */
export function failedRestore(world: World): World[] {
  return world.destination.criu === "restoring" ? [destination(world, { criu: "ended", copy: "none" })] : [];
}
