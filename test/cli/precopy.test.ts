import { expect, test } from "@jest/globals";
import { fastmig } from "../support/fastmig.js";

const id = "01JCXZ0000000000000000000A";

test.each<[string, string[], string, string]>([
  [
    "rounds of a plan that has none",
    ["predump", "plans/two-nodes.yaml"],
    "NO_PRECOPY",
    "moves counter by stop-and-copy",
  ],
  [
    "no number of rounds",
    ["predump", "plans/two-nodes.yaml", "--rounds", "some"],
    "BAD_FLAG",
    '--rounds: "some" is not auto or a whole number from 1 to 1000',
  ],
  ["nothing to tune", ["tune", id], "NOTHING_TO_TUNE", "say what to change"],
  ["a rate without a unit", ["tune", id, "--bandwidth", "50"], "BAD_FLAG", '--bandwidth: "50" is not a rate'],
  ["no budget at all", ["tune", id, "--downtime", "0s"], "BAD_FLAG", "it has to be more than 0"],
  ["an unknown migration", ["tune", id, "--downtime", "1s"], "UNKNOWN_MIGRATION", id],
])("%s: exit 2", async (_title, args, code, message) => {
  const { exit, stdout, stderr } = await fastmig([...args, "--json"]);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ error: { code, message: expect.stringContaining(message) } });
});

test("predump --discard where there is nothing", async () => {
  const { exit, stdout } = await fastmig(["predump", "plans/two-nodes.yaml", "--discard"]);
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: "there is no predump of these services" });
});
