import { expect, test } from "@jest/globals";
import chalk from "chalk";
import type { Unsettled } from "../../../src/migration/open-journals.js";
import type { Place } from "../../../src/migration/status.js";
import { statusText } from "../../../src/ui/status.js";
import { open } from "../../support/migration/facts.js";

chalk.level = 0;

const place: Place = {
  service: "counter",
  node: "a",
  state: "running",
  epoch: 3,
  role: "owner",
  pid: 1000,
  memory: 300e6,
  since: "2026-01-01T00:00:00.000Z",
  open: null,
  error: null,
};

test("a table, and what settles the unsettled", () => {
  const nothing = { epoch: null, role: null, pid: null, memory: null, since: null };
  const places: Place[] = [
    place,
    { ...place, ...nothing, node: "b", state: "absent" },
    { ...place, state: "held", open },
    { ...place, ...nothing, node: "c", state: "unreachable", error: "no route to host" },
  ];
  const unsettled = [
    { id: open.id, service: "counter", from: "a", to: "b", state: "in doubt" as const, since: open.openedAt },
  ];
  expect(statusText(places, unsettled)).toMatchSnapshot();
  expect(statusText([], [{ ...unsettled[0], state: "predumped" } as Unsettled])).toContain(
    `is a predump: \`fastmig migrate PLAN\` goes on from it, \`fastmig abort ${open.id}\` removes it`,
  );
  expect(statusText([], [])).toBe("");
});
