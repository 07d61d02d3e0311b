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
  const status = (await stage().fastmig("status", id)).stdout;
  expect(status).toMatch(/^a +source +aborted +verdict aborted +abort: aborted on request$/m);
  expect(status).toMatch(/^b +destination +does not answer$/m);
  expect(status).toMatch(/^closed: rolled back$/m);
  await stage().migrate(plan);
  await witness.servesOn("b");
  await tells(id);
}, 120_000);

/** What `list` and `log` say of a migration that was aborted, and of the one after it. */
async function tells(id: string): Promise<void> {
  const list = (await stage().fastmig("list")).stdout;
  expect(list).toMatch(new RegExp(`^${id} .* a → b .* rolled back$`, "m"));
  expect(list).toMatch(/ a → b .*\dms +done$/m);
  const log = (await stage().fastmig("log", id)).stdout;
  expect(log).toMatch(/^\S+Z +\+0ms +begun by .* from a to b, epoch 2/);
  expect(log).toMatch(/ switchover: begun \(direct\)\n/);
  expect(log).toMatch(/ closed: rolled back\nplan, journal and report: \//);
}
