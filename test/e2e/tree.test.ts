import { expect, test } from "@jest/globals";
import { onStage } from "../support/on-stage.js";
import { treeService } from "../support/services.js";
import { type NodeName } from "../support/stage.js";
import { ask } from "../support/ask.js";
import { Witness } from "../support/witness.js";

const stage = onStage();

interface Account {
  worker: number;
  pid: number;
  parent: number;
  uid: number;
  boot: string;
  memoryIntact: boolean;
  word: string;
  threads: number;
  lasting: number[];
  childExit: number;
}

interface Slot {
  rounds: number;
  threadTicks: number;
  childTicks: number;
}

interface Ring {
  word: string;
  pids: number[];
  hops: number;
  slots: Slot[];
  accounts: Account[];
}

test("sixteen workers with pipes, shared memory and threads fork after every of four hops, as uid 1000", async () => {
  const cast = treeService(stage().lab.client.address);
  const plans = { b: await stage().plan([cast]), a: await stage().plan([cast], { from: "b", to: "a" }) };
  await stage().clients.collect();
  await stage().result("start", plans.b);
  const witness = await Witness.of(stage(), cast, "a");
  const fork = (node: NodeName): Promise<Ring> => ask<Ring>(stage(), cast, node, "POST /fork");
  let before = await fork("a");

  for (const to of ["b", "a", "b", "a"] as const) {
    await stage().migrate(plans[to]);
    await witness.servesOn(to);
    const now = await fork(to);
    expectSameTree(before, now, witness.identity.pid);
    before = now;
  }
  const { accounts } = await ask<Ring>(stage(), cast, "a", "POST /verify");
  expect(accounts.flatMap(({ lasting }) => lasting)).toHaveLength(5);
}, 180_000);

function expectSameTree(before: Ring, now: Ring, parent: number): void {
  expect(now.hops).toBe(before.hops + 1);
  expect(now.pids).toEqual(before.pids);
  const { word } = now;
  now.accounts.forEach((account, at) => {
    const { boot, pid, lasting } = before.accounts[at] as Account;
    expect(account).toMatchObject({
      boot,
      pid,
      parent,
      uid: 1000,
      word,
      memoryIntact: true,
      threads: 2,
      childExit: 7,
    });
    expect(account.lasting).toEqual(expect.arrayContaining(lasting));
  });
  now.slots.forEach((slot, at) =>
    expectTicking(before.slots[at] as Slot, slot, before.accounts[at] as Account),
  );
}

/** The worker's thread, and the children that stay, go on counting in the shared memory. */
function expectTicking(before: Slot, now: Slot, { lasting }: Account): void {
  expect(now.rounds).toBe(before.rounds + 1);
  expect(now.threadTicks).toBeGreaterThan(before.threadTicks);
  if (lasting.length > 0) expect(now.childTicks).toBeGreaterThan(before.childTicks);
}
