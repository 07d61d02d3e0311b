import { expect, test } from "@jest/globals";
import { onStage } from "../support/on-stage.js";
import { patternService } from "../support/services.js";
import { Witness } from "../support/witness.js";

const stage = onStage();

test("three services of one plan move at once", async () => {
  const client = stage().lab.client.address;
  const casts = [1, 2, 3].map((number) => patternService(client, 64, {}, `part-${number}`, 8000 + number));
  const plan = await stage().plan(casts, { options: { parallel: 3, perNode: 3 } });
  await stage().clients.collect();
  await stage().result("start", plan);
  const witnesses = await Promise.all(casts.map((cast) => Witness.of(stage(), cast, "a")));

  const migrations = await stage().migrate(plan);

  expect(migrations.map(({ service }) => service).toSorted()).toEqual(casts.map(({ name }) => name));
  const lastBegin = Math.max(...migrations.map(({ startedAt }) => Date.parse(startedAt)));
  const firstEnd = Math.min(...migrations.map(({ endedAt }) => Date.parse(endedAt)));
  expect(lastBegin).toBeLessThan(firstEnd);
  for (const witness of witnesses) await witness.servesOn("b");
}, 120_000);
