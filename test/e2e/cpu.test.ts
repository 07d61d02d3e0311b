import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { rebootNode } from "../../src/lab/index.js";
import { ask } from "../support/ask.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { type Cast, chosenService } from "../support/services.js";
import { type NodeName } from "../support/stage.js";
import { Witness } from "../support/witness.js";

const stage = onStage(vmLab);
const minutes = (count: number): number => count * 60_000;

/** Node b without AVX, and without XSAVE, which saves AVX's registers. */
beforeAll(async () => {
  await rebootNode(stage().lab, "a");
  await rebootNode(stage().lab, "b", { processor: "Nehalem" });
}, minutes(4));
afterAll(() => rebootNode(stage().lab, "b", { processor: "best" }), minutes(3));

const work = (cast: Cast, node: NodeName): Promise<unknown> => ask(stage(), cast, node, "/work", 30_000);

test(
  "a lesser processor is refused by what it lacks, before anything is touched; a service with a baseline goes there and back",
  async () => {
    await stage().clients.collect();
    await isRefused(chosenService(stage().lab.client.address, {}));
    await stage().clear();
    await stage().clients.collect();
    await goesThereAndBack(chosenService(stage().lab.client.address, { cpuBaseline: "auto" }));
  },
  minutes(6),
);

async function isRefused(cast: Cast): Promise<void> {
  const plan = await stage().plan([cast]);
  await stage().result("start", plan);
  const { exit, stderr } = await stage().fastmig("migrate", plan);
  expect(exit).toBe(exitCodes.preflight);
  expect(stderr).toMatch(
    /cpu: b's processor \(Intel Core i7 9xx .*\) lacks what a's \(QEMU TCG .*\) has, and chosen may be using: .*\bxsave, avx\b.*\bavx2\b/,
  );
  expect(await stage().on("b", "podman", "ps", "--all", "--quiet")).toBe("");
}

async function goesThereAndBack(cast: Cast): Promise<void> {
  const plan = await stage().plan([cast]);
  await stage().result("start", plan);
  const witness = await Witness.of(stage(), cast, "a");
  const before = await work(cast, "a");
  expect(await ask(stage(), cast, "a", "/environment")).toMatchObject({
    GLIBC_TUNABLES: expect.stringMatching(/^glibc\.cpu\.hwcaps=.*-AVX2/),
  });
  await stage().migrate(plan);
  await witness.servesOn("b", 60_000);
  expect(await work(cast, "b")).toEqual(before);
  await stage().migrate(await stage().plan([cast], { from: "b", to: "a" }));
  await witness.servesOn("a", 60_000);
  expect(await work(cast, "a")).toEqual(before);
}
