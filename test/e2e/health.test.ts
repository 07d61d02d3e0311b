import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();
const listens = "import socket; socket.create_connection(('127.0.0.1', 8000), 1)";

test.each([
  ["tcp", { tcp: "{node}:8000" }],
  ["exec", { exec: ["python3", "-c", listens] }],
])(
  "health by %s",
  async (_kind, health) => {
    const { plan, witness } = await watched(stage(), {}, { health });
    await stage().migrate(plan);
    await witness.servesOn("b");
  },
  120_000,
);

test("not healthy: nothing is lost, both ends stay open until it is accepted; then it moves back", async () => {
  const never = { exec: ["false"], timeout: "1s" };
  const { cast, plan, witness } = await watched(stage(), {}, { health: never });
  const failed = await stage().fastmig("migrate", plan);
  expect(failed).toMatchObject({
    exit: exitCodes.inDoubt,
    stderr: expect.stringMatching(/pattern runs on b and is not healthy.*--accept-unhealthy/s),
  });
  await witness.servesOn("b");
  const back = await stage().plan(
    [{ ...cast, written: { ...cast.written, health: { tcp: "{node}:8000" } } }],
    {
      from: "b",
      to: "a",
    },
  );
  expect(await stage().fastmig("migrate", back)).toMatchObject({ exit: exitCodes.locked });
  const id = /fastmig resume ([0-9A-Z]+)/.exec(failed.stderr)?.[1] ?? "";
  expect(await stage().fastmig("resume", id)).toMatchObject({ exit: exitCodes.inDoubt });
  const taken = await stage().fastmig("resume", id, "--accept-unhealthy");
  expect(taken).toMatchObject({ exit: exitCodes.done, stdout: expect.stringContaining("accepted") });
  expect(await stage().on("a", "podman", "ps", "--all", "--format", "{{.Names}}")).toContain("pattern.kept-");
  expect(await stage().fastmig("status")).toMatchObject({ stdout: "no migration is unsettled" });
  await stage().migrate(back);
  await witness.servesOn("a");
}, 120_000);

test("a login that is not root's, without sudo, is refused by name and touches nothing", async () => {
  const { plan, witness } = await watched(stage());
  const sshConfig = join(stage().dir, "ssh_config");
  const text = await readFile(stage().lab.sshConfig, "utf8");
  await writeFile(sshConfig, text.replaceAll("User root", "User ops"));
  for (const command of ["migrate", "preflight", "start"]) {
    const refused = await stage().fastmig(command, plan, "--ssh-config", sshConfig);
    expect(refused).toMatchObject({
      exit: exitCodes.preflight,
      stderr: expect.stringMatching(/rootless: commands on b run as ops.*sudo: true/s),
    });
  }
  await witness.servesOn("a");
}, 120_000);
