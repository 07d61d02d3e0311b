/**
 * Everything that decides a hand-over, as small as it can be said: two daemons with what each has on its disk, CRIU and the tree on
 * either side, and what was ever said. Nothing here is mutated: a move makes a new world.
 */
import type { DestinationStateName, SourceStateName } from "../../../../../src/daemon/api.js";
import type {
  DestinationAction,
  DestinationEvent,
  SourceAction,
  SourceEvent,
} from "../../../../../src/daemon/handover/table.js";
import type { Verdict } from "../../../../../src/daemon/verdict.js";

/** `stopped` will be started again; `fenced` never, by the operator's word. */
export type Container = "up" | "stopped" | "fenced";

interface Side<S, A, E> {
  /** On its disk. */
  state: S;
  verdict: Verdict | null;
  /** It has closed the migration: its images and its lock are gone. */
  closed: boolean;
  container: Container;
  /** Its container was started since it last journalled. */
  reborn: boolean;
  /** All checkpoint images, whole. */
  images: boolean;
  /** Its daemon lives; what follows is only in its memory. */
  up: boolean;
  doing: readonly A[];
  /** In the order in which it is dealt with. */
  heard: readonly E[];
  /** What it has seen of the CRIU that it follows. */
  follows: "nothing" | "work" | "held" | "end";
}

export interface Source extends Side<SourceStateName, SourceAction, SourceEvent> {
  tree: "runs" | "frozen" | "partly" | "dead";
  /** `orphaned`: CRIU was killed and its hook has not decided yet. */
  criu: "none" | "dumping" | "held" | "killing" | "orphaned" | "ended";
}

export interface Destination extends Side<DestinationStateName, DestinationAction, DestinationEvent> {
  /** `wedged`: its CRIU was killed; it executes nothing and never will. `ended`: it ran, and is no more. */
  copy: "none" | "held" | "wedged" | "runs" | "ended";
  /** `letting`: its hook has let it go. `touched`: it has written the root's PID, and lets tasks go one by one. */
  criu: "none" | "restoring" | "held" | "letting" | "touched" | "ended";
  /** What CRIU left on the disk. */
  trace: "none" | "touched" | "statistics";
  /** A resume has failed before, with proof that nothing ran. */
  failedBefore: boolean;
}

/**
 * Whatever was ever said can arrive at any time, any number of times, in any order, or never: a channel that loses, repeats,
 * delays and reorders. Whoever says it and whoever else has seen the same (a program, another one, a dead one's `resume`) are one.
 */
export type Word = "final" | "prepared" | "refused" | "released" | "sourceAborted";

export interface World {
  source: Source;
  destination: Destination;
  said: readonly Word[];
  /** Faults that may still happen. */
  faults: number;
  /** What happened, where a later judgement needs it. */
  past: {
    /** Something of the service executed at the destination. */
    ran: boolean;
    /** The whole tree at the source went on from where it was dumped. */
    wentOn: boolean;
    /** The source's container died with the only copy. */
    diedAlone: boolean;
    /** Containers whose memory was lost. */
    died: readonly ("source" | "destination")[];
    /** A killed CRIU took a process of the service along. */
    damaged: boolean;
  };
}

export interface Move {
  name: string;
  /** `operator`: nobody does it but by hand. */
  by: "program" | "fault" | "operator";
  to: World;
}

export function beginning(faults: number): World {
  const side = {
    state: "opened" as const,
    verdict: null,
    closed: false,
    container: "up" as const,
    reborn: false,
    images: false,
    up: true,
    doing: [],
    heard: [],
    follows: "nothing" as const,
  };
  return {
    source: { ...side, tree: "runs", criu: "none" },
    destination: { ...side, copy: "none", criu: "none", trace: "none", failedBefore: false },
    said: [],
    faults,
    past: { ran: false, wentOn: false, diedAlone: false, died: [], damaged: false },
  };
}

export const including = <T>(list: readonly T[], item: T): readonly T[] =>
  list.includes(item) ? list : [...list, item].sort();

export const without = <T>(list: readonly T[], item: T): readonly T[] =>
  list.filter((other) => other !== item);

export function source(world: World, change: Partial<Source>): World {
  return { ...world, source: { ...world.source, ...change } };
}

export function destination(world: World, change: Partial<Destination>): World {
  return { ...world, destination: { ...world.destination, ...change } };
}

export function say(world: World, word: Word): World {
  return world.said.includes(word) ? world : { ...world, said: including(world.said, word) };
}

/** Without what nobody can hear any more: worlds that differ in nothing else are one. */
export function distilled(world: World): World {
  const { source: from, destination: to } = world;
  const asks = !["released", "restoringBack", "aborted", "reclaimed", "confirmed"].includes(from.state);
  const awaits = ["opened", "receiving"].includes(to.state);
  const heard: Record<Word, boolean> = {
    final: asks || awaits,
    prepared: asks,
    refused: asks,
    released: !to.closed,
    sourceAborted: !to.closed,
  };
  return { ...world, said: world.said.filter((word) => heard[word]) };
}

export function note(world: World, change: Partial<World["past"]>): World {
  return { ...world, past: { ...world.past, ...change } };
}
