import { expect, test } from "@jest/globals";
import { transferPort } from "../../../src/migration/standby.js";
import { planNode } from "../../support/migration/facts.js";

const used = (port: number): Parameters<typeof transferPort>[1][number] => ({
  ip: null,
  port,
  containerPort: null,
  protocol: "tcp",
  by: "x",
});

test("the first free port of the range, never the same one twice in a run", () => {
  const site = { name: "b", plan: planNode("b", { first: 7900, last: 7902 }) };
  expect(transferPort(site, [used(7900)])).toBe(7901);
  expect(transferPort(site, [used(7900)])).toBe(7902);
  expect(transferPort(site, [used(7900)])).toBeNull();
});

test("no range, no port", () => {
  expect(transferPort({ name: "c", plan: planNode("c", null) }, [])).toBeNull();
});
