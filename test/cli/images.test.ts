import { expect, test } from "@jest/globals";
import { fastmig } from "../support/fastmig.js";

/** Its service `counter` has `checkpoint: { to, keep, every }`, its `store` has none. */
const plan = "plans/reference.yaml";

test.each<[string, string[], string, string]>([
  [
    "a checkpoint to nowhere",
    ["checkpoint", plan, "store"],
    "IMAGE_PLACE",
    "nobody says where images of store are",
  ],
  [
    "a restore from nowhere",
    ["restore", plan, "store"],
    "IMAGE_PLACE",
    "nobody says where images of store are",
  ],
  [
    "one JSON of images without end",
    ["checkpoint", plan, "counter"],
    "EVERY_JSON",
    "until it is interrupted",
  ],
  [
    "one JSON of images without end, as asked for",
    ["checkpoint", plan, "store", "--to", "file:/x", "--every", "1s", "--keep", "1"],
    "EVERY_JSON",
    "until it is interrupted",
  ],
  [
    "a service that there is not",
    ["checkpoint", plan, "nobody", "--to", "file:/x"],
    "UNKNOWN_SERVICE",
    "nobody",
  ],
  ["one of several", ["checkpoint", plan, "--to", "file:/x"], "SERVICE_NEEDED", "an image is of one"],
])("%s: exit 2", async (_title, args, code, message) => {
  const { exit, stdout, stderr } = await fastmig([...args, "--json"]);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ error: { code, message: expect.stringContaining(message) } });
});
