import { describe, expect, test } from "@jest/globals";
import { learnCosts, trialMemory, type Costs } from "../../../../src/migration/precopy/costs.js";
import { chainOf, dirtyAfter, predict, usefulBandwidth } from "../../../../src/migration/precopy/model.js";
import { lost, series } from "../../../support/migration/rounds.js";

const costs: Costs = {
  dump: { fixedMs: 50, msPerByte: 0 },
  restore: { fixedMs: 60, msPerByte: 100 / 300e6, msPerMapByte: 0 },
  handOver: { fixedMs: 0, msPerByte: 0 },
};
const open = { final: null };

describe("costs", () => {
  const trial = (dumpMs: number, restoreMs: number, mapBytes = 60) => ({
    ...{ dumpMs, restoreMs, mapBytes, releaseMs: 0, resumeMs: 0, durableMs: 0 },
  });

  test("the fixed part, what each byte adds, and what each run of pages", () => {
    const learnt = learnCosts(
      { small: trial(200, 1), big: trial(200 + 32, 1) },
      {
        small: trial(1, 300),
        big: trial(1, 300 + 64),
        scattered: trial(1, 300 + 64 + 80, 60 + 160_000),
      },
    );
    expect(learnt.dump).toEqual({ fixedMs: 200, msPerByte: 32 / trialMemory });
    expect(learnt.restore).toEqual({
      fixedMs: 300,
      msPerByte: 64 / trialMemory,
      msPerMapByte: 80 / 160_000,
    });
  });

  test("the hand-over: a tree's death, the more memory the longer, its life, and what is written durably", () => {
    const ended = (releaseMs: number) => ({ ...trial(1, 1), releaseMs, durableMs: 10 });
    const lives = { ...trial(1, 1), resumeMs: 7, durableMs: 2 };
    const learnt = learnCosts(
      { small: ended(5), big: ended(5 + 16) },
      { small: lives, big: lives, scattered: lives },
    );
    expect(learnt.handOver).toEqual({
      fixedMs: 5 + 7 + 3 * 10 + 5 * 2,
      msPerByte: 16 / trialMemory,
    });
  });

  test("a bigger trial that was quicker tells that memory costs nothing that can be measured", () => {
    const learnt = learnCosts(
      { small: trial(40, 1), big: trial(30, 1) },
      { small: trial(1, 9), big: trial(1, 9), scattered: trial(1, 8, 1000) },
    );
    expect(learnt.dump).toEqual({ fixedMs: 30, msPerByte: 0 });
    expect(learnt.restore).toEqual({ fixedMs: 9, msPerByte: 0, msPerMapByte: 0 });
  });
});

describe("the chain", () => {
  const full = { written: 300, totalMs: 3000 };
  const part = { written: 6, totalMs: 200, sinceParentMs: 3200 };
  test.each<[string, Parameters<typeof series>[0], number[]]>([
    ["of nothing", [], []],
    ["is every round since the full one", [full, part, part], [1, 2, 3]],
    ["ends with a failed round", [full, part, lost], []],
    ["begins anew with the full round after it", [full, part, lost, full, part], [4, 5]],
    ["begins with the newest full round", [full, part, full], [3]],
  ])("%s", (_title, rounds, numbers) => {
    expect(chainOf(series(rounds)).map(({ number }) => number)).toEqual(numbers);
  });

  test("a round under way is not of it", () => {
    const [first, second] = series([full, part]);
    if (first === undefined || second === undefined) throw new Error("two were made");
    expect(chainOf([first, { ...second, state: "shipping", totalMs: null }])).toEqual([first]);
  });
});

describe("useful bandwidth", () => {
  test.each([
    ["unknown where nothing was sent", [{ written: 0, totalMs: 100 }], null, null],
    ["that of the newest round that tells", [{ written: 300, totalMs: 3000 }], null, 100e6],
    [
      "not that of a small round, which is not the line's",
      [
        { written: 300, totalMs: 3000 },
        { written: 0.2, totalMs: 200, sinceParentMs: 3000 },
      ],
      null,
      100e6,
    ],
    ["of small rounds together, where there is no other", [{ written: 2, totalMs: 100 }], null, 20e6],
    ["never more than a cap that was set since", [{ written: 300, totalMs: 3000 }], 50e6, 50e6],
  ])("%s", (_title, rounds, cap, rate) => {
    expect(usefulBandwidth(chainOf(series(rounds)), cap)).toEqual(rate);
  });
});

describe("what is dirty after a while", () => {
  const full = { written: 300, totalMs: 3000 };
  const after = (ms: number, ...parts: [megabytes: number, interval: number][]): number =>
    dirtyAfter(
      ms,
      chainOf(
        series([
          full,
          ...parts.map(([written, sinceParentMs]) => ({ written, totalMs: 100, sinceParentMs })),
        ]),
      ),
    ) / 1e6;

  test.each([
    ["one round: with the time", 500, [[20, 1000]], 10],
    [
      "ever new pages: with the time",
      500,
      [
        [60, 3000],
        [20, 1000],
      ],
      10,
    ],
    [
      "the same working set: as much as ever",
      100,
      [
        [50, 3000],
        [50, 1000],
      ],
      50,
    ],
    [
      "between the two: by the root",
      250,
      [
        [40, 4000],
        [20, 1000],
      ],
      10,
    ],
    [
      "the two intervals are alike: with the time",
      500,
      [
        [40, 1000],
        [20, 1000],
      ],
      10,
    ],
    [
      "less in a longer while (it oscillates): as much as it wrote last",
      500,
      [
        [10, 3000],
        [90, 1000],
      ],
      90,
    ],
    ["nothing was written", 500, [[0, 1000]], 0],
    ["never more than the memory", 100_000, [[100, 1000]], 300],
  ] as [string, number, [number, number][], number][])("%s", (_title, ms, parts, megabytes) => {
    expect(after(ms, ...parts)).toBeCloseTo(megabytes, 1);
  });
});

describe("the prediction", () => {
  test("is unknown after the first, full round", () => {
    expect(predict(chainOf(series([{ written: 300, totalMs: 3000 }])), costs, open)).toBeNull();
  });

  test("is freeze and metadata, the dirty pages' way, and the restore of the whole memory", () => {
    const rounds = series([
      { written: 300, totalMs: 3000 },
      { written: 32, totalMs: 300, sinceParentMs: 3200, frozenMs: 15 },
    ]);
    const prediction = predict(chainOf(rounds), costs, open);
    // 300 ms for the round and 200 ms between two rounds: 500 of 3200 ms.
    expect(prediction?.dirtyBytes).toBeCloseTo(5e6, -4);
    expect(prediction?.dirtyRate).toBeCloseTo(10e6, -5);
    expect(prediction?.bandwidth).toBeCloseTo(106.7e6, -5);
    expect(prediction?.parts.freezeMs).toBe(65);
    expect(prediction?.parts.copyMs).toBeCloseTo(46.9, 0);
    expect(prediction?.parts.restoreMs).toBeCloseTo(160, 0);
    expect(prediction?.downtimeMs).toBeCloseTo(271.9, 0);
  });

  test("takes the slower of dump and line, and a cap of the final copy", () => {
    const rounds = series([
      { written: 300, totalMs: 3000 },
      { written: 32, totalMs: 300, sinceParentMs: 3200 },
    ]);
    const slow = { ...costs, dump: { fixedMs: 50, msPerByte: 100e-6 } };
    expect(predict(chainOf(rounds), slow, open)?.parts.copyMs).toBeCloseTo(500, -1);
    expect(predict(chainOf(rounds), costs, { final: 10e6 })?.parts.copyMs).toBeCloseTo(500, -1);
  });

  test("takes what a round costs from the rounds, where they tell a line", () => {
    const rounds = series([
      { written: 300, totalMs: 1000 + 3000 },
      { written: 60, totalMs: 1000 + 600, sinceParentMs: 4200 },
      { written: 24, totalMs: 1000 + 240, sinceParentMs: 1700 },
    ]);
    const prediction = predict(chainOf(rounds), costs, open);
    expect(prediction?.parts.freezeMs).toBeCloseTo(1000, 0);
    expect(prediction?.parts.copyMs).toBeCloseTo(((prediction?.dirtyBytes ?? 0) / 1e6) * 10, 0);
    // A cap of the final copy is slower than that line.
    expect(predict(chainOf(rounds), costs, { final: 10e6 })?.parts.copyMs).toBeCloseTo(
      ((prediction?.dirtyBytes ?? 0) / 1e6) * 100,
      0,
    );
  });

  test("counts the runs of pages of the last round and as many of the final dump, and the hand-over with its exchanges", () => {
    const rounds = series([
      { written: 300, totalMs: 3000, mapBytes: 100 },
      { written: 32, totalMs: 300, sinceParentMs: 3200, mapBytes: 40_000 },
    ]);
    const scattered = {
      ...costs,
      restore: { ...costs.restore, msPerMapByte: 0.001 },
      handOver: { fixedMs: 30, msPerByte: 0 },
    };
    const answered = rounds.map((round) => ({ ...round, answerMs: 7 }));
    expect(predict(chainOf(answered), costs, open)?.parts.handOverMs).toBeCloseTo(5 * 7, 5);
    const [told, without] = [scattered, costs].map((one) => predict(chainOf(rounds), one, open));
    expect((told?.parts.restoreMs ?? 0) - (without?.parts.restoreMs ?? 0)).toBeCloseTo(80, 5);
    expect((told?.downtimeMs ?? 0) - (without?.downtimeMs ?? 0)).toBeCloseTo(110, 5);
  });

  test("a long pause between two rounds is not the lead of the next", () => {
    const rounds = series([
      { written: 300, totalMs: 3000 },
      { written: 36, totalMs: 300, sinceParentMs: 3_600_000 },
    ]);
    // 300 ms for the round and the most that is believed, 2 s.
    expect(predict(chainOf(rounds), costs, open)?.dirtyBytes).toBeCloseTo(23e3, -3);
  });
});
