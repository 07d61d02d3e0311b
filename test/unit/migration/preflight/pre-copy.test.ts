import { describe, expect, test } from "@jest/globals";
import type { Facts } from "../../../../src/migration/facts.js";
import { check } from "../../../../src/migration/preflight/checks.js";
import { compareCriu } from "../../../../src/migration/preflight/criu.js";
import { whyUnsupported } from "../../../../src/migration/preflight/pre-copy.js";
import type { PreCopy } from "../../../../src/plan/plan.js";
import { facts, status } from "../../../support/migration/facts.js";

const precopy: PreCopy = { rounds: "auto", onDivergence: "switch", onUnsupported: "abort" };
const tracking = { ...status, criu: { ...status.criu, features: ["mem_dirty_track"] } };

function preCopy(change: Partial<PreCopy>, source: Parameters<typeof facts>[0] = {}): Facts {
  const made = facts(source);
  return {
    ...made,
    migration: { ...made.migration, strategy: "pre-copy", precopy: { ...precopy, ...change } },
  };
}

const found = (made: Facts): string[] =>
  check(made, { allowClockJump: false, id: null }).map(({ check: name, node }) => `${name} ${node}`);

describe("a kernel without soft-dirty", () => {
  test("is a problem by name", () => {
    expect(check(preCopy({}), { allowClockJump: false, id: null })).toMatchObject([
      {
        check: "pre-copy",
        node: "a",
        message: "a's kernel cannot track written pages (no soft-dirty): counter cannot be copied in rounds",
        hint: expect.stringContaining("onUnsupported: stop-and-copy"),
      },
    ]);
  });

  test("is said, and none, where the plan goes on by stop-and-copy", () => {
    const made = preCopy({ onUnsupported: "stop-and-copy" });
    expect(found(made)).toEqual([]);
    expect(whyUnsupported(made)).toMatch(/cannot track/);
  });

  test("is nothing to stop-and-copy, nor to a source whose kernel has it", () => {
    expect(whyUnsupported(facts())).toBeNull();
    expect(whyUnsupported(preCopy({}, { source: { status: tracking } }))).toBeNull();
  });

  test("is no problem at the destination, which only restores", () => {
    expect(compareCriu("a", tracking.criu, "b", { ...tracking.criu, features: [] })).toEqual([]);
  });
});

test("the images of the rounds need as much again", () => {
  const disk = { memoryAvailable: 500e6, state: { free: 500e6, volatile: false } };
  const source = { status: tracking, ...disk };
  expect(found(facts({ source }))).toEqual([]);
  expect(found(preCopy({}, { source }))).toEqual(["memory a"]);
  const destination = { ...disk, memoryAvailable: 700e6 };
  expect(found(facts({ destination }))).toEqual([]);
  expect(found(preCopy({}, { source: { status: tracking }, destination }))).toEqual(["memory b"]);
});
