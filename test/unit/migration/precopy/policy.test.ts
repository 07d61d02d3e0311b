import { describe, expect, test } from "@jest/globals";
import type { Round } from "../../../../src/daemon/api.js";
import type { Costs } from "../../../../src/migration/precopy/costs.js";
import {
  decide,
  limits,
  type Decision,
  type RoundsLimits,
  type RoundsState,
} from "../../../../src/migration/precopy/policy.js";
import { lost, series } from "../../../support/migration/rounds.js";

const costs: Costs = {
  dump: { fixedMs: 50, msPerByte: 0 },
  restore: { fixedMs: 50, msPerByte: 0, msPerMapByte: 0 },
  handOver: { fixedMs: 0, msPerByte: 0 },
};
const wanted: RoundsLimits = {
  rounds: "auto",
  budgetMs: 300,
  deadlineMs: 300_000,
  onDivergence: "switch",
  bandwidth: { rounds: null, final: null },
  costs,
};
const state = (rounds: readonly Round[], change: Partial<RoundsState> = {}): RoundsState => ({
  rounds,
  before: 0,
  elapsedMs: 10_000,
  throttle: { steps: 0, of: 3, since: 0 },
  ...change,
});

const word = (decision: Decision): string =>
  decision.kind === "switch"
    ? decision.why
    : decision.kind === "throttle"
      ? `throttle ${decision.step}`
      : decision.kind;

/** What is decided after each round of a series, from none on. */
function decisions(
  made: Parameters<typeof series>[0],
  change: Partial<RoundsLimits> = {},
  more: Partial<RoundsState> = {},
): string[] {
  const all = series(made);
  return [0, ...all.map(({ number }) => number)].map((count) =>
    word(decide(state(all.slice(0, count), more), { ...wanted, ...change })),
  );
}

const full = { written: 300, totalMs: 3000 };
/** A round whose interval is the round before it and 200 ms. */
const part = (written: number, totalMs: number, sinceParentMs: number) => ({
  written,
  totalMs,
  sinceParentMs,
});

describe("recorded series", () => {
  test.each<[string, Parameters<typeof series>[0], Partial<RoundsLimits>, string[]]>([
    [
      "2 % of 300 MB a second at 100 MB/s: the second round is small enough",
      [full, part(18, 180, 3200), part(2.7, 90, 380)],
      {},
      ["round", "round", "fits", "fits"],
    ],
    [
      "the same with a budget that takes a third round",
      [full, part(18, 180, 3200), part(2.7, 90, 380)],
      { budgetMs: 135 },
      ["round", "round", "round", "fits"],
    ],
    [
      "nothing is ever written: the first round with a parent says so, and the first round never does",
      [full, part(0.2, 120, 3200)],
      {},
      ["round", "round", "fits"],
    ],
    [
      "go-phaul stopped after the first round: a small first round is no reason either",
      [{ written: 4, totalMs: 60 }, part(3.9, 60, 260), part(3.8, 60, 260)],
      { budgetMs: 120 },
      ["round", "round", "round", "diverged"],
    ],
    [
      "a working set that is written again and again",
      [full, part(60, 600, 3200), part(59, 590, 800), part(59.5, 595, 790)],
      {},
      ["round", "round", "round", "round", "diverged"],
    ],
    [
      "it writes faster than the line takes: seen in the first round with a parent",
      [full, part(280, 2800, 3200)],
      { onDivergence: "abort" },
      ["round", "round", "abort"],
    ],
    [
      "it oscillates: a quiet moment is taken",
      [full, part(60, 600, 3200), part(5, 100, 800), part(40, 400, 800), part(0.5, 40, 600)],
      { budgetMs: 115 },
      ["round", "round", "round", "round", "round", "fits"],
    ],
    [
      "each round is 5 % shorter: two of them are enough",
      [full, part(50, 500, 3200), part(47.5, 475, 3150), part(45.2, 452, 3150)],
      { budgetMs: 120 },
      ["round", "round", "round", "round", "diverged"],
    ],
    [
      "restore alone is over the budget: more rounds bring nothing",
      [full, part(1, 60, 3200)],
      { budgetMs: 90 },
      ["round", "round", "diverged"],
    ],
    [
      "rounds are used up",
      [full, part(60, 600, 3200), part(20, 200, 800)],
      { budgetMs: 120, rounds: 3 },
      ["round", "round", "round", "diverged"],
    ],
    ["one round, as the plan says", [full], { rounds: 1 }, ["round", "diverged"]],
    [
      "no budget: until another round, which would be as long as the last one and its lead, saves next to nothing",
      [full, part(60, 600, 3200), part(18, 200, 800), part(7, 90, 400), part(4, 60, 290)],
      { budgetMs: null },
      ["round", "round", "round", "round", "converged", "converged"],
    ],
  ])("%s", (_title, made, change, expected) => {
    expect(decisions(made, change)).toEqual(expected);
  });
});

describe("failed rounds", () => {
  test.each<[string, Parameters<typeof series>[0], Partial<RoundsLimits>, string]>([
    ["one: the next is full", [full, lost], {}, "round"],
    ["the full one after it tells nothing yet", [full, part(1, 60, 3200), lost, full], {}, "round"],
    ["and then it goes on", [full, lost, full, part(1, 60, 3200)], {}, "fits"],
    ["two in a row: the whole memory in the freeze", [full, lost, lost], {}, "failed"],
    ["two in a row, and abort by policy", [full, lost, lost], { onDivergence: "abort" }, "abort"],
    ["the very first two", [lost, lost], { onDivergence: "throttle" }, "failed"],
    ["every other one", [full, lost, full, lost, full, lost, full, lost], {}, "failed"],
  ])("%s", (_title, made, change, expected) => {
    expect(decisions(made, change).at(-1)).toBe(expected);
  });
});

describe("limits", () => {
  test("one round after a long full one does not tell a working set from ever new pages: a second one has to", () => {
    const once = [full, part(60, 600, 3200)];
    expect(decisions(once).at(-1)).toBe("round");
    expect(decisions([...once, part(15, 150, 800)]).at(-1)).toBe("fits");
    expect(decisions(once, { rounds: 2 }).at(-1)).toBe("fits");
  });

  test("the deadline is over", () => {
    const rounds = series([full, part(60, 600, 3200)]);
    expect(word(decide(state(rounds, { elapsedMs: 300_000 }), { ...wanted, budgetMs: 120 }))).toBe(
      "diverged",
    );
  });

  test("auto ends too", () => {
    const shrinking = (at: number): number => 60 * 0.89 ** at;
    const made = Array.from({ length: limits.autoRounds - 1 }, (_, at) =>
      part(shrinking(at), 50 * shrinking(at), 75 * shrinking(at - 1)),
    );
    const slow = { ...full, totalMs: 15_000 };
    expect(decisions([slow, ...made], { budgetMs: 101 }).slice(-2)).toEqual(["round", "diverged"]);
  });

  test("rounds that were there before this run tell nothing of now", () => {
    const rounds = series([full, part(1, 60, 3200)]);
    expect(decide(state(rounds, { before: 2 }), wanted).kind).toBe("round");
    const more = [...rounds, ...series([part(2, 60, 60_000)], 3).map((one) => ({ ...one, parent: 2 }))];
    expect(word(decide(state(more, { before: 2 }), { ...wanted, rounds: 5 }))).toBe("fits");
  });

  test("a bandwidth that nobody knows is no reason to switch", () => {
    const rounds = series([{ written: 0, totalMs: 100 }, part(0, 100, 300)]);
    expect(decide(state(rounds), wanted)).toMatchObject({ kind: "round", prediction: null });
  });
});

describe("throttling", () => {
  const fast = [full, part(280, 2800, 3200)];
  const throttle = { onDivergence: "throttle" as const };

  test("step after step, and then over all the same", () => {
    const at = (steps: number, since: number, rounds: readonly Round[]): string =>
      word(decide(state(rounds, { throttle: { steps, of: 3, since } }), { ...wanted, ...throttle }));
    expect(at(0, 0, series(fast))).toBe("throttle 1");
    // The first round after the step has what was written before it.
    const one = series([...fast, part(270, 2700, 3000)]);
    expect(at(1, 2, one)).toBe("round");
    const two = series([...fast, part(270, 2700, 3000), part(240, 2400, 2900)]);
    expect(at(1, 2, two)).toBe("throttle 2");
    expect(at(3, 2, two)).toBe("diverged");
    const three = series([...fast, part(270, 2700, 3000), part(20, 200, 2900), part(1, 50, 400)]);
    expect(at(1, 2, three)).toBe("fits");
  });

  test("each step has as many rounds as the plan says", () => {
    const rounds = series([full, part(60, 600, 3200), part(58, 600, 3200)]);
    const tight = { ...wanted, ...throttle, budgetMs: 120, rounds: 2 };
    expect(word(decide(state(rounds, { throttle: { steps: 1, of: 3, since: 2 } }), tight))).toBe("round");
  });

  test("not where writing is not what takes the time", () => {
    const rounds = series([full, part(1, 60, 3200)]);
    expect(word(decide(state(rounds), { ...wanted, ...throttle, budgetMs: 90 }))).toBe("diverged");
  });
});

test("what is said has the figures", () => {
  const text = (made: Parameters<typeof series>[0], change: Partial<RoundsLimits> = {}): string =>
    decide(state(series(made)), { ...wanted, ...change }).text;
  expect(text([full, part(18, 180, 3200)])).toBe("131ms of downtime predicted, within 300ms");
  expect(text([full, part(280, 2800, 3200)], { onDivergence: "abort" })).toBe(
    "it writes 87.5MB/s, the line takes 100MB/s; 2.72s of downtime predicted, the budget is 300ms",
  );
  expect(text([full, lost, lost])).toBe("2 of 3 rounds failed: the whole memory is copied now");
});
