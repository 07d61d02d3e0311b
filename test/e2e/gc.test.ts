import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { setRate } from "../../src/lab/index.js";
import { waitFor } from "../../src/wait.js";
import { inTheTransfer } from "../support/daemon.js";
import { watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";
import type { NodeName } from "../support/stage.js";

const stage = onStage();

const containers = (node: NodeName): Promise<string> =>
  stage().on(node, "podman", "ps", "--all", "--format", "{{.Names}}");
const logs = (node: NodeName): Promise<string> =>
  stage().on(node, "sh", "-c", "ls /var/lib/fastmig/pattern/migrations");
const gc = (...flags: string[]): Promise<{ migrations: { id: string; removed: string[] }[] }> =>
  stage().result("gc", ...flags);

test("what is over goes, what a live migration has stays", async () => {
  const { cast, plan, witness } = await watched(stage(), { options: { keepSource: "2s" } });
  const back = await stage().plan([cast], { from: "b", to: "a", options: { keepSource: "1h" } });
  const [first] = await stage().migrate(plan);
  expect(await containers("a")).toContain("pattern.kept-");

  await setRate(stage().lab, 20e6);
  const running = stage().startFastmig("migrate", back);
  const second = await inTheTransfer(stage(), cast, "b");
  await waitFor(
    "the kept container's end",
    async () => ((await containers("a")).includes("kept") ? void (await gc()) : true),
    { timeout: 30_000 },
  );
  await setRate(stage().lab, null);
  expect(await running.ended).toMatchObject({ exit: exitCodes.done });
  await witness.servesOn("a");
  expect(await logs("a")).toBe(second);
  expect(await logs("b")).toBe(second);

  const forgotten = await gc("--older-than", "0s");
  expect(forgotten.migrations).toEqual([
    expect.objectContaining({ id: first?.id, removed: ["its journal"] }),
  ]);
  expect(await containers("b")).toContain("pattern.kept-");
}, 120_000);
