import { describe, expect, test } from "@jest/globals";
import type { Status } from "../../../src/daemon/api.js";
import { exitOf, standingOf, type Failed, type Standing } from "../../../src/migration/standing.js";
import { status } from "../../support/migration/facts.js";

const ends = { service: "counter", from: "a", to: "b" };
const standby: Status = {
  ...status,
  service: { state: "standby" },
  ownership: { epoch: 2, role: "none", service: null },
};
const held: Status = { ...status, service: { state: "held", pid: 1000 } };

test.each<[string, Status | null, Status | null, string, string]>([
  ["at the source", status, standby, "source", "counter serves on a (epoch 2)"],
  ["at the source, the destination is silent", status, null, "source", "counter serves on a (epoch 2)"],
  ["at the destination", held, status, "destination", "counter runs on b"],
  ["held", held, standby, "unknown", "counter is held by a migration, and serves nowhere"],
  [
    "the source is silent",
    null,
    standby,
    "unknown",
    "a does not answer: nobody can say whether counter serves",
  ],
  ["nowhere", standby, null, "nobody", "counter does not run on a (standby), b does not answer"],
])("%s", (_title, source, destination, owner, text) => {
  expect(standingOf(ends, source, destination)).toEqual({ owner, text });
});

describe("the exit code says what state the service is in", () => {
  const failed = (thrown: Failed["thrown"], switching = false, final = false): Failed => ({
    thrown,
    switching,
    final,
  });
  test.each<[string, Failed, Standing["owner"], number]>([
    ["preflight", failed(3), "source", 3],
    ["preflight of a service that does not run", failed(3), "nobody", 3],
    ["a lock", failed(7), "source", 7],
    ["a command failed before the switchover", failed(5), "source", 5],
    ["the destination was lost before the switchover", failed(4), "source", 5],
    ["the source was lost before the switchover", failed(4), "unknown", 4],
    ["the switchover failed and was taken back", failed(5, true), "source", 5],
    ["a lost link, taken back", failed(4, true), "source", 5],
    ["interrupted and taken back", failed(130, true), "source", 130],
    ["terminated before the switchover", failed(143), "source", 143],
    ["interrupted, and nobody knows", failed(130, true), "unknown", 6],
    ["the switchover failed and the source has no service", failed(5, true), "nobody", 6],
    ["in doubt", failed(6, true), "source", 6],
    ["unhealthy at the destination", failed(6, true, true), "destination", 6],
  ])("%s", (_title, given, owner, exit) => {
    expect(exitOf(given, { owner, text: "" })).toBe(exit);
  });
});
