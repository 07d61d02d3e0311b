import { expect, test } from "@jest/globals";
import { type Heartbeat, secondHeartbeats } from "../../support/workloads/heartbeats.js";

const beat = (seq: number, from: string, boot = "one"): Heartbeat => ({
  service: "s",
  boot,
  seq,
  at: seq,
  received: seq,
  from,
});

test("numbers that rise over a move, with some lost, come from one copy", () => {
  expect(secondHeartbeats([beat(1, "a"), beat(2, "a"), beat(5, "b"), beat(6, "b")])).toEqual([]);
});

test("a number that comes twice comes from two copies", () => {
  expect(secondHeartbeats([beat(1, "a"), { ...beat(1, "b"), received: 2 }])).toEqual([
    "s sent 1 from a, then 1 from b",
  ]);
});

test("another process is not a moved one", () => {
  expect(secondHeartbeats([beat(1, "a"), beat(2, "b", "two")])).toEqual(["s began anew on b after 1"]);
});

test("what overtook another on its way from the same node is of one copy; the same number after it is not", () => {
  const overtaken = [beat(1, "a"), { ...beat(3, "a"), received: 2 }, { ...beat(2, "a"), received: 3 }];
  expect(secondHeartbeats(overtaken)).toEqual([]);
  const third = { ...beat(3, "a"), at: 4, received: 4 };
  expect(secondHeartbeats([...overtaken, third])).toEqual(["s sent 2 from a, then 3 from a"]);
});

test("a number that a node sends after a later one comes from two copies", () => {
  expect(secondHeartbeats([beat(5, "a"), { ...beat(4, "a"), at: 6, received: 6 }])).toHaveLength(1);
  expect(secondHeartbeats([beat(5, "a"), { ...beat(4, "b"), received: 6 }])).toHaveLength(1);
});
