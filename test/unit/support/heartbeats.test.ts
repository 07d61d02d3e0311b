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
