import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { cut, healAll, setRate } from "../../src/lab/index.js";
import { type Status } from "../../src/daemon/api.js";
import { killDaemon, waitForStatus } from "../support/daemon.js";
import { halfway, secondSucceeds, watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();
const lease = "3s";

test.each([
  ["direct", "a"],
  ["relay", "controller"],
] as const)(
  "the link is cut in the transfer by %s",
  async (transfer, end) => {
    const scene = await halfway(stage(), { transfer, lease });
    await cut(stage().lab, end, "b");
    await scene.witness.servesOn("a");
    await healAll(stage().lab);
    const { exit, stderr } = await scene.running.ended;
    expect({ exit, stderr }).toMatchObject({
      exit: exitCodes.rolledBack,
      stderr: expect.stringContaining("serves on a"),
    });
    await secondSucceeds(stage(), scene);
  },
  120_000,
);

test("the destination's disk is full", async () => {
  const scene = await halfway(stage(), { lease });
  await stage().on("b", "sh", "-c", shrinkImages(scene.cast.name));
  const { exit, stderr } = await scene.running.ended;
  expect({ exit, stderr }).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringMatching(/no space|ENOSPC/i),
  });
  await scene.witness.servesOn("a");
  await secondSucceeds(stage(), scene);
}, 120_000);

test("the destination's daemon is killed: its successor takes the rest, and it moves back", async () => {
  const scene = await halfway(stage());
  await killDaemon(stage(), "b", scene.cast);
  const { exit, stderr } = await scene.running.ended;
  expect({ exit, stderr }).toMatchObject({ exit: exitCodes.done });
  await scene.witness.servesOn("b");
  await setRate(stage().lab, null);
  await stage().migrate(await stage().plan([scene.cast], { from: "b", to: "a" }));
  await scene.witness.servesOn("a");
}, 120_000);

test("SIGTERM to the CLI in the transfer", async () => {
  const scene = await halfway(stage());
  scene.running.kill("SIGTERM");
  expect(await scene.running.ended).toMatchObject({ exit: exitCodes.terminated });
  await scene.witness.servesOn("a");
  await secondSucceeds(stage(), scene);
}, 120_000);

test("CRIU stops in the middle of its dump: it is ended, and the service goes on", async () => {
  const scene = await watched(stage());
  const stopped = stage().on("a", "sh", "-c", stopDump);
  const { exit, stderr } = await stage().fastmig("migrate", scene.plan);
  await stopped;
  expect({ exit, stderr }).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringContaining("criu dump did nothing for 15 s and was ended"),
  });
  await scene.witness.servesOn("a");
  await secondSucceeds(stage(), scene);
}, 120_000);

test("SIGKILL to the CLI while frozen, by direct: the daemons finish between themselves", async () => {
  const scene = await halfway(stage(), { transfer: "direct" });
  scene.running.kill("SIGKILL");
  await scene.running.ended;
  await scene.witness.servesOn("b");
  await stage().result("resume", scene.id);
  await scene.witness.servesOn("b");
}, 120_000);

test("SIGKILL to the CLI while frozen, by relay: the source resumes when its lease is over", async () => {
  const scene = await halfway(stage(), { transfer: "relay", lease });
  scene.running.kill("SIGKILL");
  await scene.running.ended;
  await scene.witness.servesOn("a");
  await stage().fastmig("resume", scene.id);
  await scene.witness.servesOn("a");
  await secondSucceeds(stage(), scene);
}, 120_000);

test("SIGKILL to the CLI while the destination restores, by relay: what is held there waits for `resume`", async () => {
  const scene = await watched(stage(), { transfer: "relay", lease }, {}, 400);
  const running = stage().startFastmig("migrate", scene.plan);
  const inState = (state: string): Promise<Status> =>
    waitForStatus(stage(), "b", scene.cast, state, ({ migration }) => migration?.state === state);
  const { open } = await inState("restoring");
  running.kill("SIGKILL");
  await inState("prepared");
  await scene.witness.servesOn("a");
  await inState("prepared");
  const { exit, stdout, stderr } = await stage().fastmig("resume", open?.id ?? "");
  expect({ exit, stdout, stderr }).toMatchObject({ exit: exitCodes.rolledBack });
  await scene.witness.servesOn("a");
  await secondSucceeds(stage(), scene);
}, 120_000);

/** Stops the CRIU that dumps the service, and not the one that tries a dump before, as soon as it is there. */
const stopDump =
  "for n in $(seq 1 6000); do pids=$(pgrep -f '[c]riu dump.*migrations') && kill -STOP $pids && exit; sleep 0.01; done; exit 1";

/** The image directory's file system without the room that was made in it before the freeze: the next bytes do not fit. */
function shrinkImages(container: string): string {
  const pid = `$(podman inspect --format '{{.State.Pid}}' ${container})`;
  const shrink = [
    "truncate -s 0 /run/fastmig-images/*/final/pages-*.img",
    "rm -r /run/fastmig-images/*/reserve",
    "mount -o remount,size=8m /run/fastmig-images",
  ];
  return `nsenter -t ${pid} -m sh -c '${shrink.join(" && ")}'`;
}
