import { expect, test } from "@jest/globals";
import { type MigrationReport } from "../../src/migration/report.js";
import { ask } from "../support/ask.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { tortureService } from "../support/services.js";
import { type NodeName } from "../support/stage.js";
import { Witness } from "../support/witness.js";
import { type TortureAccount } from "../support/workloads/torture.js";

const stage = onStage(vmLab);
const moves = 10;
/**
 * Of each move, at most: the last is left out where it would save next to nothing. All but the first and the last are folded
 * into the first by then.
 */
const rounds = 4;
const fewest = 3;
const sizes = { megabytes: 256, pagesPerSecond: 1300, churn: 150 };

test("256 MB under everything that moves memory about, ten moves in rounds: no wrong page, no older one", async () => {
  const cast = tortureService(stage().lab.client.address, sizes);
  const verify = (node: NodeName): Promise<TortureAccount> =>
    ask<TortureAccount>(stage(), cast, node, "POST /verify", 60_000);
  const move = { strategy: "pre-copy", rounds } as const;
  const plans = {
    b: await stage().plan([cast], move),
    a: await stage().plan([cast], { ...move, from: "b", to: "a" }),
  };
  await stage().clients.collect();
  await stage().result("start", plans.b);
  const witness = await Witness.of(stage(), cast, "a");
  let before = await verify("a");

  for (let hop = 1; hop <= moves; hop += 1) {
    const to = hop % 2 === 1 ? "b" : "a";
    const [report] = await stage().migrate(plans[to]);
    expectRounds(report as MigrationReport);
    await witness.servesOn(to, 60_000);
    const now = await verify(to);
    expect({ hop, wrong: now.wrong, badExits: now.events.badExits }).toEqual({ hop, wrong: 0, badExits: 0 });
    expect(now.writes).toBeGreaterThan(before.writes);
    expectEvents(before, now);
    before = now;
  }
}, 1_800_000);

/** Between two moves memory was mapped, dropped and moved, and processes were born and ended. */
function expectEvents(before: TortureAccount, now: TortureAccount): void {
  const grown = Object.entries(now.events).filter(
    ([name, count]) => count > before.events[name as keyof TortureAccount["events"]],
  );
  expect(grown.map(([name]) => name)).toEqual(expect.arrayContaining(["mapped", "forked", "executed"]));
}

/** It came in rounds, and the later ones left out what the first had brought. */
function expectRounds({ rounds: made, strategy }: MigrationReport): void {
  expect(strategy).toBe("pre-copy");
  const chain = made.map((_, at) => [at + 1, at === 0 ? null : at, "done"]);
  expect(made.map(({ number, parent, state }) => [number, parent, state])).toEqual(chain);
  expect(made.length).toBeGreaterThanOrEqual(fewest);
  const [first, ...later] = made.map(({ bytes }) => bytes);
  expect(Math.max(...later)).toBeLessThan((first ?? 0) / 2);
}
