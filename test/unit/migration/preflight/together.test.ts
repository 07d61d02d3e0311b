import { expect, test } from "@jest/globals";
import type { Facts } from "../../../../src/migration/facts.js";
import { checkTogether } from "../../../../src/migration/preflight/together.js";
import { facts } from "../../../support/migration/facts.js";

const arriving = (name: string, node: string, memoryAvailable: number): Facts =>
  facts({ service: { name }, destination: { node, memoryAvailable } });

test("each fits alone, but not together", () => {
  const all = [arriving("web", "b", 700e6), arriving("cache", "b", 700e6), arriving("other", "c", 700e6)];
  const problems = checkTogether(all);
  expect([...problems.keys()].map(({ service }) => service.name)).toEqual(["web", "cache"]);
  expect([...problems.values()].flat().map(({ check, message }) => `${check}: ${message}`)).toEqual(
    Array.from(
      { length: 2 },
      () =>
        "memory: b has 700MB of memory available, the 2 services that go there need 728MB (web 364MB, cache 364MB)",
    ),
  );
});

test("together they fit, or there is but one", () => {
  expect(checkTogether([arriving("web", "b", 728e6), arriving("cache", "b", 728e6)]).size).toBe(0);
  expect(checkTogether([arriving("web", "b", 1e6)]).size).toBe(0);
  expect(checkTogether([]).size).toBe(0);
});
