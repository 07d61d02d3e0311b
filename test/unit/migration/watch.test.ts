import { afterEach, expect, test } from "@jest/globals";
import type { MigrationView } from "../../../src/daemon/api.js";
import { lastViews, watchToTheEnd } from "../../../src/migration/watch.js";
import { ends, type Ends } from "../../support/migration/ends.js";
import { view } from "../../support/migration/facts.js";

let stage: Ends | undefined;
afterEach(() => stage?.close());

/** A source that has let go, and a destination that says one state after the other, the last one for ever. */
function scene(...states: MigrationView["state"][]): Ends {
  const left = [...states];
  const now = (): MigrationView["state"] => (left.length > 1 ? left.shift() : left[0]) ?? "opened";
  stage = ends(
    { view: view("source", { state: "released" }) },
    { reply: () => view("destination", { state: now() }) },
  );
  return stage;
}

test("what both said, and what fits together, ends the watch", async () => {
  const { judgement } = await watchToTheEnd(scene("running").context, { within: 5000 });
  expect(judgement).toBe("committed");
});

test("what does not fit together is asked again before it is called a doubt", async () => {
  const { judgement } = await watchToTheEnd(scene("inDoubt", "running").context, { within: 5000 });
  expect(judgement).toBe("committed");
});

test("a doubt that stays is told", async () => {
  await expect(watchToTheEnd(scene("inDoubt").context, { within: 5000 })).rejects.toMatchObject({
    code: "IN_DOUBT",
  });
});

test("the last views are asked for when both are at rest: the source has heard the answer by then", async () => {
  const running = view("destination", { state: "running" });
  const told = (within: boolean): MigrationView =>
    view("source", { state: "released", timeline: within ? { frozen: 5, running: 900 } : { frozen: 5 } });
  stage = ends({ reply: (_verb, _body, within) => told(within) }, { view: running });
  expect(await lastViews(stage.context)).toEqual({ source: told(true), destination: running });
});

test("who does not answer any more is taken as he was seen before", async () => {
  const both = {
    source: view("source", { state: "released" }),
    destination: view("destination", { state: "running" }),
  };
  stage = ends({ view: null }, { view: both.destination });
  expect(await lastViews(stage.context, both)).toEqual(both);
  expect(await lastViews(stage.context)).toBeNull();
});
