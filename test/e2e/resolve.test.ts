import { expect, test } from "@jest/globals";
import { type Status } from "../../src/daemon/api.js";
import { exitCodes } from "../../src/errors.js";
import { cut, healAll } from "../../src/lab/index.js";
import { waitForStatus } from "../support/daemon.js";
import { secondSucceeds, watched, type Halfway } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();

/** The source let go, the destination holds, and nobody is left who could tell it. */
async function letGoUnheard(): Promise<Omit<Halfway, "running">> {
  const scene = await watched(stage(), { transfer: "relay", lease: "30s" }, {}, 400);
  const running = stage().startFastmig("migrate", scene.plan);
  const inState = (node: "a" | "b", state: string): Promise<Status> =>
    waitForStatus(stage(), node, scene.cast, state, ({ migration }) => migration?.state === state);
  const { open } = await inState("b", "restoring");
  running.kill("SIGKILL");
  await inState("b", "prepared");
  const id = open?.id ?? "";
  // As its daemon does when it hears `prepared`, and dies before it tells.
  await stage().on(
    "a",
    "sh",
    "-c",
    createVerdict,
    "sh",
    `/var/lib/fastmig/${scene.cast.name}/migrations/${id}`,
  );
  await inState("a", "released");
  return { ...scene, id };
}

const createVerdict = 'cd "$1" && umask 022 && echo released > verdict.part && ln verdict.part verdict';

const fences: [string, (name: string) => Promise<unknown>][] = [
  ["its container is stopped", (name) => stage().on("b", "podman", "kill", name)],
  [
    "its links are cut, it holds on",
    () => Promise.all(["a", "controller"].map((end) => cut(stage().lab, "b", end as "controller"))),
  ],
];

test.each(fences)(
  "the destination is fenced (%s): the source is kept with its memory, `resume` clears up later",
  async (_how, fence) => {
    const scene = await letGoUnheard();
    const { cast, witness, id } = scene;
    await fence(cast.name);

    const kept = await stage().fastmig("resolve", id, "--keep", "source", "--i-have-fenced", "b");
    expect(kept).toMatchObject({ exit: exitCodes.done, stdout: expect.stringContaining("(reclaimed)") });
    await witness.servesOn("a");
    expect((await stage().fastmig("status")).stdout).toContain(`\`fastmig resume ${id}\``);

    await healAll(stage().lab);
    const { exit, stderr } = await stage().fastmig("resume", id);
    expect({ exit, stderr }).toMatchObject({
      exit: exitCodes.rolledBack,
      stderr: expect.stringContaining("the standby is removed from b"),
    });
    expect((await stage().fastmig("status")).stdout).toBe("no migration is unsettled");
    await witness.servesOn("a");
    await secondSucceeds(stage(), scene);
  },
  120_000,
);
