import { expect, test } from "@jest/globals";
import { downtimeOf, irregular, listed } from "../../../bench/precopy/packets.js";
import { isPredicted, leastAhead, precopyRows, type PreCopyMove } from "../../../bench/precopy/judge.js";
import { type Packet } from "../../support/workloads/packets.js";

const packets = (...seconds: number[]): Packet[] =>
  seconds.map((second, number) => ({ number, told: "", at: Date.UTC(2022, 10, 10, 7, 1, second) }));

test("the client's list is the seed's, with the downtime where it was", () => {
  expect(listed(packets(2, 3, 27, 29))).toBe(
    [
      "Start sending packets...",
      "Format: [id] time",
      "[0] 07:01:02",
      "[1] 07:01:03",
      "[2] 07:01:27    <- Downtime",
      "[3] 07:01:29",
    ].join("\n"),
  );
});

test("the second between two packets is no downtime", () => {
  expect([downtimeOf(packets(2, 3, 27)), downtimeOf(packets(2, 3))]).toEqual([23_000, 0]);
});

test("numbers that are missing or come again are told", () => {
  const [first, second, third] = packets(1, 2, 3) as [Packet, Packet, Packet];
  expect(irregular([first, second, third])).toEqual([]);
  expect(irregular([first, third, second])).toEqual([2, 1]);
});

test.each([
  [1300, 1000, true],
  [1301, 1000, false],
  [200, 100, true],
  [201, 100, false],
  [690, 1000, false],
])("%i ms predicted, %i ms came: within 30 %% or 100 ms: %p", (predicted, blackout, holds) => {
  expect(isPredicted({ predicted, blackout })).toBe(holds);
});

const move: PreCopyMove = {
  downtime: 2000,
  blackout: 1900,
  predicted: 1800,
  ahead: 6000,
  rounds: 3,
  bytes: 300e6,
  finalBytes: 10e6,
  restore: 1500,
};
const raw = { preDumps: [1000, 200, 300], dump: 300, bytes: 20e6, restore: 1500, copyRate: 90e6 };

test("the rounds may take half as much again as their bytes on the wire, and CRIU's time for each", () => {
  expect(leastAhead(move, [raw], 100e6)).toBe(4500 + 1000 + 2 * 250);
});

test("the four figures with their bars", () => {
  const byHand = [{ downtime: 20_000, checkpoint: 9000, copy: 3000, restore: 7000 }];
  const rows = precopyRows({ rate: 100e6, ours: [move], stopAndCopy: [5000], raw: [raw], byHand });
  expect(rows.map(({ figure, bar, holds }) => [figure, bar, holds])).toEqual([
    [5000, null, null],
    [0.4, 0.5, true],
    [1, 1.3, true],
    [1500, null, null],
    [1, 1, true],
    [0, 0, true],
    [20_000, null, null],
    [90, null, null],
  ]);
});
