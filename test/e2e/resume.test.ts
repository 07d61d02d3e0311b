import { expect, test } from "@jest/globals";
import { type Status } from "../../src/daemon/api.js";
import { exitCodes } from "../../src/errors.js";
import { killDaemon, waitForStatus } from "../support/daemon.js";
import { watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();

test("the source's container is restarted while both ends hold, the CLI is dead: `resume` by relay brings it to the destination", async () => {
  const { cast, plan, witness } = await watched(stage(), { transfer: "relay", lease: "30s" }, {}, 400);
  const running = stage().startFastmig("migrate", plan);
  const inState = (node: "a" | "b", state: string): Promise<Status> =>
    waitForStatus(stage(), node, cast, state, ({ migration }) => migration?.state === state);
  const { open } = await inState("b", "restoring");
  const id = open?.id ?? "";
  running.kill("SIGKILL");
  await inState("b", "prepared");
  await stage().on("a", "sh", "-c", `podman kill ${cast.name} && podman start ${cast.name}`);
  await waitForStatus(stage(), "a", cast, "restarted", ({ service }) => service.state === "standby");
  await inState("a", "asking");
  // It has not forgotten that it asks, and gives nothing up.
  await killDaemon(stage(), "a", cast);
  await inState("a", "asking");

  const refused = await stage().fastmig("abort", id);
  expect(refused).toMatchObject({
    exit: exitCodes.inDoubt,
    stderr: expect.stringContaining("only b can have it"),
  });
  const { exit, stdout, stderr } = await stage().fastmig("resume", id);
  expect({ exit, stdout, stderr }).toMatchObject({ exit: exitCodes.done });
  await witness.servesOn("b");
}, 120_000);
