/** What the source's daemon asks of the destination's. */
import * as z from "zod/mini";
import { DestinationStateName } from "./migrations.js";
import { Clocks, count, Epoch, Failure } from "./words.js";

/** A file of the checkpoint image, relative: `final/pages-1.img`, `1/core-1000.img`, `preserve.tar`. */
export const ImageFile = z
  .string()
  .check(z.regex(/^((final|[1-9][0-9]{0,3})\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/));
/** Of a segment's bytes, in hex. None where the seal of a line has proven them. */
const digest = z.optional(z.string().check(z.regex(/^[0-9a-f]{32}$/)));
export const Segment = z.strictObject({ file: ImageFile, offset: count, length: count, digest });
export type Segment = z.infer<typeof Segment>;

/** Of one line: a connection to the same port that carries sealed segments, and begins with the token. */
export const LineKey = z.strictObject({
  token: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  key: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
});
export type LineKey = z.infer<typeof LineKey>;

/** Files of the checkpoint image, each with all of its segments. */
const FileList = z.array(
  z.strictObject({
    file: ImageFile,
    size: count,
    segments: z.array(z.strictObject({ offset: count, length: count, digest })),
  }),
);
/** Whose a tree is, and which of its init's pipes it has as its outputs, by inode at the source; null: it has closed that one. */
export const TreeRun = z.strictObject({
  uid: count,
  gid: count,
  groups: z.array(count),
  stdoutInode: z.nullable(count),
  stderrInode: z.nullable(count),
});
export type TreeRun = z.infer<typeof TreeRun>;
const roundNumber = z.int().check(z.minimum(1));

/** Asked before the freeze: it proves the way between the daemons, makes room and moves the PID cursor. */
export const ExpectRequest = z.strictObject({
  epoch: Epoch,
  highestPid: count,
  ...TreeRun.shape,
  /** The round that is coming; null: the final dump. Nothing else is taken then. */
  round: z.nullable(roundNumber),
  /** The rounds that the final dump builds on, the full one first, each the next one's parent: they have to be here. */
  chain: z.array(roundNumber),
  /** Bytes of the images still to come, at most. */
  bytes: count,
  /** Resident bytes of the tree. */
  tree: count,
  /** Bytes of memory to be held for the restore until it begins. */
  reserve: count,
  /** About what the page image of each process will have, parents first: allocated in advance. */
  pages: z.array(count),
});
export type ExpectRequest = z.infer<typeof ExpectRequest>;

/** Everything the destination must hold beside the chain before it restores; sent last. */
export const FinalRequest = z.strictObject({
  epoch: Epoch,
  files: FileList,
  /** What the destination needs to restore and to check itself against. */
  tree: z.strictObject({
    rootPid: count,
    highestPid: count,
    ...TreeRun.shape,
    /** Null: it goes by its host's. */
    clocks: z.nullable(Clocks),
  }),
});
export type FinalRequest = z.infer<typeof FinalRequest>;

/** A round is over at the source: the destination answers only where it holds every byte of it. */
export const RoundArrived = z.strictObject({
  epoch: Epoch,
  round: roundNumber,
  files: FileList,
});
export type RoundArrived = z.infer<typeof RoundArrived>;

/** The chain is poisoned: every round's files are removed. */
export const ForgetRounds = z.strictObject({ epoch: Epoch });
export type ForgetRounds = z.infer<typeof ForgetRounds>;

/** The destination's answer to `final` and `released`. */
export const PeerState = z.strictObject({ state: DestinationStateName, failure: z.nullable(Failure) });
export type PeerState = z.infer<typeof PeerState>;

export const Received = z.strictObject({ segments: z.array(Segment) });
export type Received = z.infer<typeof Received>;
