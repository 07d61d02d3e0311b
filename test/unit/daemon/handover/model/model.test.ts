/** The hand-over, explored: every order of events, every loss, repetition and delay of a word, and faults at every moment. */
import { expect, test } from "@jest/globals";
import {
  destinationTable,
  sourceTable,
  type DestinationRow,
  type Row,
  type SourceRow,
} from "../../../../../src/daemon/handover/table.js";
import { explore } from "./explore.js";
import { asBuilt, type Rules } from "./rules.js";

test("two faults at any moment: never two, never none, and every run can end", () => {
  const { states, moves, broken } = explore(2);
  process.stderr.write(`the model: ${states} states, ${moves} moves, two faults\n`);
  expect(broken).toBeNull();
});

/** The table with one row changed, added, or (without `row`) removed. */
function changed<S, E, A>(
  table: readonly Row<S, E, A>[],
  state: S,
  on: E,
  row?: Pick<Row<S, E, A>, "to" | "do">,
) {
  const others = table.map((other) =>
    other.on === on ? { ...other, in: other.in.filter((name) => name !== state) } : other,
  );
  return row === undefined ? others : [...others, { in: [state], on, ...row }];
}

const atSource = (
  ...change: [SourceRow["to"], SourceRow["on"], Pick<SourceRow, "to" | "do">?]
): Partial<Rules> => ({
  source: changed(sourceTable, ...change),
});
const atDestination = (
  ...change: [DestinationRow["to"], DestinationRow["on"], Pick<DestinationRow, "to" | "do">?]
): Partial<Rules> => ({ destination: changed(destinationTable, ...change) });

const early = { to: "releasing", do: ["awaitDeath", "tellReleased"] } as const;

test.each<[broken: string, rules: Partial<Rules>, faults: number, law: RegExp]>([
  [
    "the source releases what it has only dumped",
    atSource("dumping", "held", { to: "releasing", do: ["createReleased"] }),
    1,
    /never none/,
  ],
  [
    "the destination runs what it holds without the source's word",
    atDestination("restoring", "held", { to: "resuming", do: ["createRunning"] }),
    0,
    /never two/,
  ],
  [
    "the destination gives up what it promised when somebody aborts",
    atDestination("prepared", "abort", { to: "discarding", do: ["createAborted"] }),
    1,
    /never none/,
  ],
  [
    "a destination that restarts gives up what it promised",
    atDestination("prepared", "restarted", { to: "discarding", do: ["createAborted"] }),
    2,
    /never none|every run/,
  ],
  [
    "the source tells of the release before the tree is dead",
    { proofIsDeath: false, ...atSource("releasing", "verdictReleased", early) },
    0,
    /never two/,
  ],
  [
    "a tree that goes on is taken for dead",
    {
      proofIsDeath: false,
      ...atSource("releasing", "treeAlive", { to: "released", do: ["tellReleased", "bury"] }),
    },
    1,
    /never two/,
  ],
  [
    "a tree that is partly dead is taken for dead",
    {
      proofIsDeath: false,
      ...atSource("releasing", "treePartlyDead", { to: "released", do: ["tellReleased", "bury"] }),
    },
    1,
    /never two/,
  ],
  [
    "a source that has let go takes the service back",
    atSource("released", "abort", { to: "reclaimed", do: ["tellAborted", "close"] }),
    0,
    /never/,
  ],
  ["a second verdict replaces the first", { verdictStands: false }, 1, /never/],
  ["the hook lets the tree go without deciding", { hookDecides: false }, 1, /never back in time/],
  ["the hook lets the copy go before `running` is on the disk", { runningFirst: false }, 0, /never two/],
  ["the source's images go when it has let go", { imagesKept: false }, 1, /never none/],
  ["a container that is seen stopped is a proof by itself", { stoppedNeedsVerdict: false }, 1, /never/],
  [
    "a released verdict counts though the source took it back",
    { stoppedNeedsJournal: false },
    2,
    /never two/,
  ],
  ["what is looked at after a restart is acted upon later", { lateDeedsDropped: false }, 1, /never/],
  [
    "a destination that still restores is taken for one that has promised",
    { askedUntilSettled: false },
    1,
    /without an operator/,
  ],
  [
    "a source that lost its memory is asked once, and forgets that it asked",
    atSource("held", "reborn", { to: "held", do: ["askPeer"] }),
    2,
    /never none/,
  ],
  [
    "a source that lost its memory while it gave up does not ask",
    atSource("aborting", "reborn", { to: "aborting", do: ["createAborted"] }),
    1,
    /never none/,
  ],
  [
    "a copy is taken over that was never let go",
    atDestination("resuming", "reborn", { to: "running", do: ["takeOver"] }),
    1,
    /every run|never/,
  ],
  [
    "what may have run is restored again",
    atDestination("resuming", "resumeUnsure", { to: "resuming", do: ["restore"] }),
    1,
    /never restored/,
  ],
  ["a released source that restarts does nothing", atSource("releasing", "restarted"), 1, /every run/],
  [
    "the source closes before the destination runs",
    atSource("releasing", "treeDead", { to: "confirmed", do: ["tellReleased", "close"] }),
    0,
    /goes only when|never none/,
  ],
])("the model sees it where %s", (_broken, rules, faults, law) => {
  const { broken } = explore(faults, { ...asBuilt, ...rules });
  expect(broken?.law ?? "no law is broken").toMatch(law);
});
