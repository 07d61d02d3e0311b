/** Whoever is not one of the two daemons: the program that watches and carries words, the operator, and what breaks. */
import * as ours from "./destination-moves.js";
import type { Rules } from "./rules.js";
import * as theirs from "./source-moves.js";
import { destination, note, say, source, including, type Move, type World } from "./world.js";

export function outsideMoves(rules: Rules, world: World): Move[] {
  return [
    ...programMoves(rules, world),
    ...starts(rules, world),
    ...operatorMoves(rules, world),
    ...faults(world),
  ];
}

const step = (name: string, to: World): Move => ({ name: `program: ${name}`, by: "program", to });

/** As `settle`, `abort` and `watchToTheEnd` do, from any machine, at any time, several of them at once. */
function programMoves(rules: Rules, world: World): Move[] {
  const { source: from, destination: to } = world;
  const moves: Move[] = [];
  if (from.up && (from.state === "aborted" || from.state === "reclaimed"))
    moves.push(step("carries the abort over", say(world, "sourceAborted")));
  if (from.container === "stopped" && to.up && (to.state === "prepared" || to.state === "inDoubt"))
    moves.push(...proofOfNode(rules, world));
  return moves;
}

/** The source's container is seen stopped: with the verdict `released` everything that was dumped is dead. */
function proofOfNode(rules: Rules, world: World): Move[] {
  if (!rules.stoppedNeedsVerdict)
    return [step("takes a stopped container for a proof", say(world, "released"))];
  const tookBack = ["aborted", "reclaimed", "restoringBack"].includes(world.source.state);
  if (tookBack && rules.stoppedNeedsJournal) return [];
  const first = world.source.verdict === null || !rules.verdictStands;
  const decided = first ? source(world, { verdict: "released" }) : world;
  return decided.source.verdict === "released" ? [step("proves by the node", say(decided, "released"))] : [];
}

/** A container that was stopped is started, a daemon comes back and goes on from its journal. */
function starts(rules: Rules, world: World): Move[] {
  const moves: Move[] = [];
  const { source: from, destination: to } = world;
  if (from.container === "stopped")
    moves.push(step("starts the source's container", source(world, { container: "up" })));
  else if (from.container === "up" && !from.up) {
    const up = source(world, { up: true });
    const event = from.reborn ? "reborn" : "restarted";
    moves.push(step(`source's daemon is ${event}`, from.closed ? up : theirs.take(rules, up, event)));
  }
  if (to.container === "stopped")
    moves.push(step("starts the destination's container", destination(world, { container: "up" })));
  else if (to.container === "up" && !to.up) {
    const up = destination(world, { up: true });
    const event = to.reborn ? "reborn" : "restarted";
    moves.push(step(`destination's daemon is ${event}`, to.closed ? up : ours.take(rules, up, event)));
  }
  return moves;
}

/** A container that will never be started again, and the operator's word on the other side. */
function operatorMoves(rules: Rules, world: World): Move[] {
  const by = (name: string, to: World): Move => ({ name: `operator: ${name}`, by: "operator", to });
  const { source: from, destination: to } = world;
  if (from.container === "fenced")
    return to.up && !to.closed ? [by("keeps the destination", kept(rules, world))] : [];
  if (to.container === "fenced")
    return from.up && !from.closed ? [by("keeps the source", theirs.take(rules, world, "keepSource"))] : [];
  const moves: Move[] = [];
  if (from.container === "stopped")
    moves.push(by("fences the source", source(world, { container: "fenced" })));
  if (to.container === "stopped" || to.state === "inDoubt" || to.state === "discarded")
    moves.push(by("fences the destination", fenced(world)));
  return moves;
}

/** In doubt, what may have begun to run there is killed and restored anew, where it can be. */
function kept(rules: Rules, world: World): World {
  const { state, images } = world.destination;
  if (state !== "inDoubt") return ours.take(rules, world, "released");
  const forgotten = note(destination(world, { trace: "none", failedBefore: false }), { ran: false });
  return ours.take(rules, forgotten, images ? "released" : "imagesGone");
}

/** Stopped by hand, where it was not yet. */
function fenced(world: World): World {
  const stopped = destinationDies(world, world.destination.images);
  return note(destination(stopped, { container: "fenced" }), { died: world.past.died });
}

function faults(world: World): Move[] {
  if (world.faults === 0) return [];
  const broken = { ...world, faults: world.faults - 1 };
  const by =
    (name: string) =>
    (to: World): Move => ({ name: `fault: ${name}`, by: "fault", to });
  const moves: Move[] = [];
  if (world.source.up) moves.push(by("the source's daemon is killed")(source(broken, forgotten)));
  if (world.destination.up)
    moves.push(
      by("the destination's daemon is killed")(destination(broken, { ...forgotten, failedBefore: false })),
    );
  if (world.source.container === "up") {
    moves.push(by("the source's container dies")(sourceDies(broken, world.source.images)));
    if (world.source.images) moves.push(by("the source loses its power")(sourceDies(broken, false)));
  }
  if (world.destination.container === "up") {
    moves.push(by("the destination's container dies")(destinationDies(broken, world.destination.images)));
    if (world.destination.images)
      moves.push(by("the destination loses its power")(destinationDies(broken, false)));
  }
  moves.push(...theirs.killedCriu(broken).map(by("the source's CRIU is killed")));
  moves.push(...ours.killedCriu(broken).map(by("the destination's CRIU is killed")));
  moves.push(...ours.failedRestore(broken).map(by("the restore fails")));
  return moves;
}

const forgotten = { up: false, doing: [], heard: [], follows: "nothing" } as const;

function sourceDies(world: World, images: boolean): World {
  const { tree, verdict, state } = world.source;
  const dead = {
    ...forgotten,
    container: "stopped",
    reborn: true,
    images,
    tree: "dead",
    criu: "none",
  } as const;
  const promised =
    verdict !== "aborted" && state !== "reclaimed" && hasPromised.includes(world.destination.state);
  const diedAlone = world.past.diedAlone || (tree !== "dead" && !promised);
  return note(source(world, dead), { diedAlone, died: including(world.past.died, "source") });
}

/** It has said, or is about to say, that it can run the service: from here on its copy must survive the source. */
const hasPromised = ["prepared", "reviving", "inDoubt", "resuming"];

function destinationDies(world: World, images: boolean): World {
  const ended = world.destination.copy === "runs" || world.destination.copy === "ended";
  const dead = {
    container: "stopped",
    reborn: true,
    images,
    copy: ended ? "ended" : "none",
    criu: "none",
  } as const;
  const died = including(world.past.died, "destination");
  return note(destination(world, { ...forgotten, ...dead, failedBefore: false }), { died });
}
