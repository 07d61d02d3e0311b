import { expect, test } from "@jest/globals";
import { Nodes } from "../../../src/migration/nodes.js";
import { parsePlan } from "../../../src/plan/load.js";
import { RecordingNode } from "../../../src/remote/recording.js";

const plan = parsePlan(
  "version: 1\nnodes: { a: { ssh: a } }\nservices: { web: { image: web, command: [web] } }\n",
  "plan.yaml",
);

/** A node whose link can be cut. */
class Fragile extends RecordingNode {
  readonly cut: (reason: string) => void;
  override readonly lost: Promise<string>;

  constructor(name: string) {
    super(name);
    const { promise, resolve } = Promise.withResolvers<string>();
    [this.lost, this.cut] = [promise, resolve];
  }
}

test("one connection for all who ask, a new one after it was lost", async () => {
  const made: Fragile[] = [];
  const nodes = new Nodes(plan, {}, ({ name }) =>
    Promise.resolve(made[made.push(new Fragile(name)) - 1] as Fragile),
  );
  const [first, again] = await Promise.all([nodes.get("a"), nodes.get("a")]);
  expect(again).toBe(first);
  made[0]?.cut("gone");
  await made[0]?.lost;
  await Promise.resolve();
  expect(await nodes.get("a")).not.toBe(first);
  expect(made).toHaveLength(2);
  await nodes.close();
});

test("a failed connection is tried again when it is next asked for; an unknown node is named", async () => {
  let tries = 0;
  const nodes = new Nodes(plan, {}, () => Promise.reject(new Error(`no way ${++tries}`)));
  await expect(nodes.get("a")).rejects.toThrow("no way 1");
  await expect(nodes.get("a")).rejects.toThrow("no way 2");
  await expect(nodes.get("b")).rejects.toMatchObject({ code: "UNKNOWN_NODE", exit: 2 });
});
