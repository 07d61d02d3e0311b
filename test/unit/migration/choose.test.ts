import { describe, expect, test } from "@jest/globals";
import { chooseMigrations, chooseNode, chooseService } from "../../../src/migration/choose.js";
import { parsePlan } from "../../../src/plan/load.js";

const plan = parsePlan(
  `version: 1
nodes: { a: { ssh: a }, b: { ssh: b } }
services:
  web: { image: web, command: [web] }
  cache: { image: cache, command: [cache] }
  idle: { image: idle, command: [idle] }
migrations:
  - { service: web, from: a, to: b }
  - { service: cache, from: b, to: a }
`,
  "plan.yaml",
);
const code = (name: string): object => expect.objectContaining({ code: name, exit: 2 });

describe("what a command works on", () => {
  test("all migrations, or those of the named services in the plan's order", () => {
    expect(chooseMigrations(plan, []).map(({ service }) => service)).toEqual(["web", "cache"]);
    expect(chooseMigrations(plan, ["cache"]).map(({ service }) => service)).toEqual(["cache"]);
    expect(() => chooseMigrations(plan, ["idle"])).toThrow(code("NOTHING_TO_MIGRATE"));
    expect(() => chooseMigrations(plan, ["cahce"])).toThrow(code("UNKNOWN_SERVICE"));
  });

  test("a mistyped name is answered with the nearest one", () => {
    expect(() => chooseService(plan, "wbe")).toThrow(
      expect.objectContaining({ hint: ["did you mean web?"] }),
    );
  });

  test("a service starts where it is told to, else where its migration begins", () => {
    expect(chooseNode(plan, "cache", undefined)).toBe("b");
    expect(chooseNode(plan, "cache", "a")).toBe("a");
    expect(() => chooseNode(plan, "idle", undefined)).toThrow(code("NODE_NEEDED"));
    expect(() => chooseNode(plan, "web", "c")).toThrow(code("UNKNOWN_NODE"));
  });
});
