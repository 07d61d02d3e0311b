import { describe, expect, test } from "@jest/globals";
import {
  destinationTable,
  sourceTable,
  transition,
  type Row,
} from "../../../../src/daemon/handover/table.js";

const sourceFinal = ["aborted", "reclaimed", "confirmed"];
const destinationFinal = ["discarded", "confirmed"];

function statesOf<S>(table: readonly Row<S, unknown, unknown>[]): Set<S> {
  return new Set(table.flatMap((row) => [...row.in, row.to]));
}

function reachable<S, E, A>(table: readonly Row<S, E, A>[], start: S): Set<S> {
  const seen = new Set([start]);
  for (const state of seen) for (const row of table) if (row.in.includes(state)) seen.add(row.to);
  return seen;
}

function rowsDoing<S, E, A>(table: readonly Row<S, E, A>[], action: A): string[] {
  return table
    .filter((row) => row.do.includes(action))
    .flatMap((row) => row.in.map((state) => `${String(state)}/${String(row.on)}`));
}

describe.each<[string, readonly Row<string, string, string>[], string[]]>([
  ["source", sourceTable, sourceFinal],
  ["destination", destinationTable, destinationFinal],
])("the %s's table", (_name, table, final) => {
  test("has one answer to every event in every state", () => {
    const keys = table.flatMap((row) => row.in.map((state) => `${state}/${row.on}`));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("reaches every state that it names", () => {
    expect([...statesOf(table)].sort()).toEqual([...reachable(table, "opened")].sort());
  });

  test("leaves no state for good but by ending there", () => {
    const stuck = [...statesOf(table)].filter(
      (state) => !table.some((row) => row.in.includes(state) && row.to !== state),
    );
    expect(stuck.sort()).toEqual([...final].sort());
  });

  test("closes again what a crash may have left half closed", () => {
    for (const state of final)
      for (const event of ["restarted", "reborn"])
        expect(transition(table, state, event)).toMatchObject({ to: state, do: ["close"] });
  });

  test("has a way on after a restart in every state in which CRIU or the verdict is under way", () => {
    const idle = ["opened", "receiving", "inDoubt", ...final];
    for (const state of statesOf(table))
      if (!idle.includes(state)) expect(transition(table, state, "restarted")?.do).not.toHaveLength(0);
  });
});

describe("one owner, never two", () => {
  test("the source releases only what the destination has prepared", () => {
    expect(rowsDoing(sourceTable, "createReleased")).toEqual([
      "held/peerPrepared",
      "asking/peerPrepared",
      "releasing/restarted",
      "releasing/reborn",
    ]);
  });

  test("the source tells of the release only where the whole tree is dead", () => {
    const telling = rowsDoing(sourceTable, "tellReleased");
    expect(telling).toEqual(["releasing/treeDead", "released/restarted", "released/reborn"]);
  });

  test("the destination decides to run only with the source's proof", () => {
    expect(rowsDoing(destinationTable, "createRunning")).toEqual([
      "prepared/released",
      "resuming/restarted",
      "inDoubt/released",
    ]);
  });

  test.each(["prepared", "reviving", "inDoubt"] as const)(
    "a destination that is %s discards only by the source's or the operator's word",
    (state) => {
      const discarding = destinationTable
        .filter((row) => row.in.includes(state) && row.to === "discarding")
        .map((row) => row.on);
      const words = ["sourceAborted", "keepSource", "imagesGone"];
      expect(discarding.filter((event) => !words.includes(event))).toEqual([]);
    },
  );

  test.each(["prepared", "reviving", "resuming", "running", "inDoubt"] as const)(
    "a destination that is %s does not heed a plain abort",
    (state) => {
      expect(transition(destinationTable, state, "abort")).toBeUndefined();
    },
  );

  test.each(["releasing", "released", "confirmed"] as const)(
    "a source that is %s cannot be aborted",
    (state) => {
      expect(transition(sourceTable, state, "abort")).toBeUndefined();
    },
  );

  test("a tree that CRIU's death set free after the release stays at the source", () => {
    expect(transition(sourceTable, "releasing", "treeAlive")).toMatchObject({
      to: "reclaimed",
      do: ["tellAborted", "close"],
    });
  });

  test("a verdict that somebody else created is obeyed, whatever was wanted", () => {
    expect(transition(sourceTable, "aborting", "verdictReleased")?.to).toBe("releasing");
    expect(transition(sourceTable, "releasing", "verdictAborted")?.to).toBe("aborting");
  });

  test("what was given up in doubt never runs, though its verdict says `running`", () => {
    expect(transition(destinationTable, "discarding", "verdictRunning")).toMatchObject({
      to: "discarding",
      do: ["discard"],
    });
  });

  test.each(["held", "aborting", "asking"] as const)(
    "a source whose container died while it was %s asks before it gives the destination's copy up",
    (state) => {
      expect(transition(sourceTable, state, "reborn")).toMatchObject({ to: "asking", do: ["askPeer"] });
      expect(transition(sourceTable, "asking", "abort")).toBeUndefined();
    },
  );

  test("a destination whose container died before its verdict `running` never ran it", () => {
    expect(transition(destinationTable, "resuming", "reborn")).toMatchObject({ do: ["examineVerdict"] });
  });
});
