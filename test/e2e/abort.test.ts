import { expect, test } from "@jest/globals";
import { setRate } from "../../src/lab/index.js";
import { exitCodes } from "../../src/errors.js";
import { inTheTransfer } from "../support/daemon.js";
import { onStage } from "../support/on-stage.js";
import { patternService } from "../support/services.js";
import { Witness } from "../support/witness.js";

const stage = onStage();

test("in the transfer a second `migrate` is refused; `abort`: the source serves, and a second migration succeeds", async () => {
  const cast = patternService(stage().lab.client.address, 100);
  const plan = await stage().plan([cast]);
  await stage().clients.collect();
  await stage().result("start", plan);
  const witness = await Witness.of(stage(), cast, "a");

  const lab = await setRate(stage().lab, 20e6);
  const running = stage().startFastmig("migrate", plan);
  const id = await inTheTransfer(stage(), cast, "a");
  const second = await stage().fastmig("migrate", plan);
  const aborted = await stage().fastmig("abort", id);
  const ended = await running.ended;
  await setRate(lab, null);

  expect(second).toMatchObject({ exit: exitCodes.locked, stderr: expect.stringContaining(id) });
  expect(aborted).toMatchObject({ exit: exitCodes.done });
  expect(ended).toMatchObject({ exit: exitCodes.rolledBack, stderr: expect.stringContaining("abort") });
  await witness.servesOn("a");
  await stage().migrate(plan);
  await witness.servesOn("b");
}, 120_000);
