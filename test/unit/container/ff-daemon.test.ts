import { beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointRequest, RunRequest } from "../../../src/container/ff-daemon/api.js";
import { guarded, openDoor } from "../../../src/container/ff-daemon/guard.js";
import { prometheus } from "../../../src/container/ff-daemon/metrics.js";
import { startModeAfter } from "../../../src/container/ff-daemon/outside.js";
import type { Status } from "../../../src/daemon/api.js";

describe("FastMig's requests", () => {
  test("have its defaults; what it does not know of is left out of account", () => {
    expect(RunRequest.parse({ app_args: "sleep 1", image_url: "file:/x", more: 1 })).toEqual({
      ...{
        app_args: "sleep 1",
        image_url: "file:/x",
        on_app_ready: "",
        passphrase_file: "",
        preserved_paths: "",
      },
      ...{ no_restore: false, allow_bad_image: false, leave_stopped: false, verbose: 0, envs: [] },
      cold_start: "if-missing",
    });
    expect(CheckpointRequest.parse({})).toEqual({
      ...{ image_url: "", passphrase_file: "", preserved_paths: "", leave_running: false, num_shards: 4 },
      ...{ cpu_budget: "", verbose: 0, envs: [] },
    });
  });

  test.each([{ envs: ["A"] }, { envs: ["=x"] }, { verbose: -1 }, { cold_start: "perhaps" }])(
    "%j is none",
    (body) => {
      expect(RunRequest.safeParse(body).success).toBe(false);
    },
  );
});

test.each([
  [0, "1"],
  [1, "0"],
  [128, "0"],
  [129, "2"],
  [137, "2"],
  [159, "2"],
  [160, "0"],
  [171, "0"],
])("after exit status %i comes start mode %s", (status, mode) => {
  expect(startModeAfter(status)).toBe(mode);
});

test("the figures are Prometheus's text", () => {
  const status = {
    service: { state: "running", pid: 1000 },
    tree: [{ rss: 1000 }, { rss: 24 }],
    image: { state: "working", bytes: 5, frozenMs: 250 },
    memory: { daemonRss: 7 },
  } as unknown as Status;
  const text = prometheus(status, { checkpoints: { done: 2, failed: 1 }, restores: { done: 0, failed: 0 } });
  for (const line of text.trim().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) fastmig_\w+ .+|fastmig_\w+(\{\w+="\w+"\})? [\d.]+)$/);
  expect(text).toContain('fastmig_checkpoints_total{outcome="failed"} 1\n');
  expect(text).toContain("fastmig_service_resident_bytes 1024\n");
  expect(text).toContain("fastmig_operation_running 1\n");
  expect(text).toContain("fastmig_operation_frozen_seconds 0.25\n");
});

describe("the door", () => {
  let token = "";
  beforeAll(async () => {
    token = join(await mkdtemp(join(tmpdir(), "fastmig-token-")), "token");
    await writeFile(token, "0123456789abcdef\nmore\n");
  });

  test("is shut but for this machine, until the operator says how it is open", async () => {
    expect(await openDoor({})).toMatchObject({ host: "127.0.0.1", token: null });
    expect((await openDoor({})).word).toContain("FASTMIG_TOKEN_FILE=FILE");
    expect(await openDoor({ FASTMIG_OPEN: "yes" })).toMatchObject({ host: "127.0.0.1" });
    expect(await openDoor({ FASTMIG_OPEN: "1" })).toMatchObject({ host: "0.0.0.0", token: null });
    expect(await openDoor({ FASTMIG_OPEN: "1", FASTMIG_TOKEN_FILE: token })).toMatchObject({
      ...{ host: "0.0.0.0", token: "0123456789abcdef" },
    });
  });

  test("does not open with a token that is missing or short", async () => {
    await expect(openDoor({ FASTMIG_TOKEN_FILE: "/nowhere" })).rejects.toThrow("FASTMIG_TOKEN_FILE: ENOENT");
    await writeFile(`${token}-short`, "0123\n");
    await expect(openDoor({ FASTMIG_TOKEN_FILE: `${token}-short` })).rejects.toThrow(
      "less than 16 characters",
    );
  });

  test("lets in who has the token, and everybody to /healthz", async () => {
    const server: Server = createServer(guarded("0123456789abcdef", (_, response) => response.end("in")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const asked = async (path: string, authorization?: string): Promise<number> =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, {
          headers: { connection: "close", ...(authorization === undefined ? {} : { authorization }) },
        })
      ).status;
    expect(await asked("/run")).toBe(401);
    expect(await asked("/run", "Bearer 0123456789abcdeX")).toBe(401);
    expect(await asked("/healthz?x", undefined)).toBe(401);
    expect(await asked("/healthz")).toBe(200);
    expect(await asked("/run", "Bearer 0123456789abcdef")).toBe(200);
    await new Promise((resolve) => server.close(resolve));
  });
});
