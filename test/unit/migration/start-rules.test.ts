import { describe, expect, test } from "@jest/globals";
import { decideStart, type NodeReport } from "../../../src/migration/start-rules.js";
import { open } from "../../support/migration/facts.js";

const at = (node: string, change: Partial<NodeReport> = {}): NodeReport => ({
  node,
  epoch: 0,
  owner: false,
  runs: false,
  container: false,
  open: null,
  ...change,
});

describe("may a start", () => {
  test.each<[string, NodeReport[], object]>([
    ["nobody ever had it", [at("a"), at("b")], { kind: "start", epoch: 1 }],
    [
      "it ran here and ended",
      [at("a", { epoch: 3, owner: true, container: true }), at("b", { epoch: 2 })],
      { kind: "start", epoch: 4 },
    ],
    ["it runs here", [at("a", { epoch: 3, owner: true, runs: true })], { kind: "runs already", epoch: 3 }],
    [
      "another node had it later, and nothing of it is left there",
      [at("a", { epoch: 2 }), at("b", { epoch: 5, owner: true })],
      { kind: "start", epoch: 6 },
    ],
    [
      "an older copy lies elsewhere",
      [at("a", { epoch: 5 }), at("b", { epoch: 4, owner: true, container: true })],
      { kind: "start", epoch: 6 },
    ],
  ])("%s", (_title, reports, decision) => {
    expect(decideStart("counter", "a", reports)).toEqual(decision);
  });

  test.each<[string, NodeReport[], string, number]>([
    ["it runs elsewhere", [at("a"), at("b", { epoch: 1, owner: true, runs: true })], "RUNS_ELSEWHERE", 3],
    [
      "a newer copy could start again elsewhere",
      [at("a", { epoch: 1 }), at("b", { epoch: 2, owner: true, container: true })],
      "NEWER_ELSEWHERE",
      3,
    ],
    ["a migration is open", [at("a"), at("b", { open })], "LOCKED", 7],
  ])("not: %s", (_title, reports, code, exit) => {
    expect(() => decideStart("counter", "a", reports)).toThrow(expect.objectContaining({ code, exit }));
  });
});
