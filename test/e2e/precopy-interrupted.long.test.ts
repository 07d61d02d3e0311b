import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { statusOf } from "../support/daemon.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { preCopyScene, startInRounds } from "../support/rounds.js";

const stage = onStage(vmLab);

test("SIGINT in a round rolls back; a second migration succeeds", async () => {
  const { cast, witness } = await preCopyScene(stage());
  const capped = await startInRounds(stage(), cast, { from: "a", bandwidth: "2MB/s" });
  await capped.reach(1);
  capped.kill("SIGINT");
  expect(await capped.ended).toMatchObject({ exit: exitCodes.interrupted });
  expect((await statusOf(stage(), "a", cast)).open).toBeNull();
  expect(await stage().on("b", "podman", "ps", "-aq", "--filter", `name=${cast.name}`)).toBe("");
  await witness.servesOn("a");

  const second = await startInRounds(stage(), cast, { from: "a", rounds: 2 });
  expect(await second.ended).toMatchObject({ exit: exitCodes.done });
  await witness.servesOn("b");
}, 300_000);
