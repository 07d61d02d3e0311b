import { describe, expect, test } from "@jest/globals";
import type { Round } from "../../../../src/daemon/api.js";
import {
  begunRound,
  chainOf,
  doubtIn,
  figuresOf,
  interrupted,
} from "../../../../src/daemon/handover/chain.js";

const at = "2026-01-01T00:00:00.000Z";
const failure = { step: "round", message: "the daemon ended", log: [], hint: null };

/** `1`: a full round, `2<1`: one that builds on round 1; `!` failed, `?` still dumping, `>` still shipping. */
function rounds(...written: string[]): Round[] {
  return written.map((word) => {
    const [, number, parent, mark = ""] = /^(\d+)(?:<(\d+))?([!?>]?)$/.exec(word) ?? [];
    const state = ({ "!": "failed", "?": "dumping", ">": "shipping" } as const)[mark] ?? "done";
    const start = begunRound([], at);
    return { ...start, number: Number(number), parent: parent === undefined ? null : Number(parent), state };
  });
}

describe("what may be built on", () => {
  test.each<[string[], number[]]>([
    [[], []],
    [["1"], [1]],
    [
      ["1", "2<1", "3<2"],
      [1, 2, 3],
    ],
    // A round that failed, or whose end nobody knows, takes everything before it along.
    [["1", "2<1!"], []],
    [["1", "2<1?"], []],
    [["1", "2<1>"], []],
    [["1!"], []],
    // The next one is full, and a new chain begins with it.
    [["1", "2<1!", "3"], [3]],
    [
      ["1", "2<1!", "3", "4<3"],
      [3, 4],
    ],
    [["1", "2"], [2]],
    // Nothing is built on a parent that is not the good round right before.
    [["1", "2<1!", "3<1"], []],
    [["1", "2<1", "3<1"], []],
    [["2<1"], []],
  ])("%j: %j", (written, chain) => {
    expect(chainOf(rounds(...written))).toEqual(chain);
  });

  test("a round builds on the last good one, under the next number", () => {
    expect(begunRound([], at)).toMatchObject({ number: 1, parent: null, state: "dumping" });
    expect(begunRound(rounds("1"), at)).toMatchObject({ number: 2, parent: 1 });
    expect(begunRound(rounds("1", "2<1!"), at)).toMatchObject({ number: 3, parent: null });
  });

  test("written down before it begins it poisons the chain, and a daemon's death leaves it so", () => {
    const before = rounds("1", "2<1");
    const under = [...before, begunRound(before, at)];
    expect(chainOf(under)).toEqual([]);
    const found = interrupted(under, failure);
    expect(found.map(({ state }) => state)).toEqual(["done", "done", "failed"]);
    expect(found[2]?.failure).toEqual(failure);
    expect(chainOf(found)).toEqual([]);
  });
});

describe("CRIU's figures", () => {
  const stats = {
    freezing_time: 1500,
    frozen_time: 12_500,
    pages_scanned: 1000,
    pages_skipped_parent: 900,
    pages_written: 80,
    shpages_scanned: 100,
    shpages_skipped_parent: 60,
    shpages_written: 40,
  };

  test("count private and shared memory together", () => {
    expect(figuresOf(stats)).toEqual({
      pages: { scanned: 1100, skipped: 960, written: 120 },
      frozenMs: 14,
    });
    expect(figuresOf({ pages_scanned: 5 })).toEqual({
      pages: { scanned: 5, skipped: 0, written: 0 },
      frozenMs: 0,
    });
    expect(figuresOf(null)).toBeNull();
  });

  test.each<[number | null, number | null, RegExp | undefined]>([
    [null, 0, undefined],
    [1, 1, undefined],
    [1, 0, /no page was skipped although round 1 was there/],
    [null, null, /no statistics/],
    [1, null, /no statistics/],
  ])("parent %p, skipped %p: %p", (parent, skipped, doubt) => {
    const pages = skipped === null ? null : { scanned: 10, skipped, written: 10 - skipped };
    const said = doubtIn({ parent, pages });
    if (doubt === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(doubt);
  });
});
