import { describe, expect, test } from "@jest/globals";
import { nearest } from "../../src/nearest.js";

const commands = ["migrate", "preflight", "plan check", "plan show", "status", "gc"];

describe("nearest", () => {
  test.each([
    ["migarte", "migrate"],
    ["mgrate", "migrate"],
    ["prefligth", "preflight"],
    ["plan chek", "plan check"],
    ["statsu", "status"],
    ["gcc", "gc"],
  ])("%s → %s", (typed, meant) => {
    expect(nearest(typed, commands)).toBe(meant);
  });

  test.each(["", "teleport", "xyz"])("nothing is near %j", (typed) => {
    expect(nearest(typed, commands)).toBeUndefined();
  });

  test("of two, the nearer one", () => {
    expect(nearest("plan shw", ["plan chew", "plan show"])).toBe("plan show");
  });
});
