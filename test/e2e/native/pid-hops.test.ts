import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { inNode } from "../../../src/lab/index.js";
import { onStage } from "../../support/on-stage.js";
import { workloadsImage } from "../../support/workloads/image.js";

const stage = onStage();
const hops = 4;
const root = join(import.meta.dirname, "../../..");
const bundle = mkdtempSync(join(tmpdir(), "fastmig-hops-"));
const state = "/var/lib/fastmig/hops";

/** What hops-daemon.ts says at its end. */
interface Seen {
  root: number;
  /** Init's children after the hop. */
  known: number[];
  /** The workers and the highest PID when the tree was frozen in the container before. */
  handed?: number[];
  highest?: number;
  /** The workers after the hop, and after one more fork. */
  taken: number[];
  now: number[];
  end?: { pid: number; end: unknown };
}

beforeAll(async () => {
  const outfile = join(bundle, "daemon.mjs");
  const options = [
    "--bundle",
    "--platform=node",
    "--format=esm",
    "--target=node24",
    "--log-level=error",
    `--outfile=${outfile}`,
  ];
  execFileSync(join(root, "node_modules/.bin/esbuild"), [
    join(import.meta.dirname, "hops-daemon.ts"),
    ...options,
  ]);
  await stage().on("a", "mkdir", "-p", "-m", "711", state);
  await inNode(stage().lab, "a", ["tee", `${state}/daemon.mjs`], { inputFile: outfile });
}, 60_000);

afterAll(() => rmSync(bundle, { recursive: true, force: true }));

/** One container: takes the tree over from the one before, dumps it for the next. */
async function container(hop: number): Promise<{ seen: Seen; output: string }> {
  const rights = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"].map((name) => `--cap-add=${name}`);
  const env = Object.entries({ HOP: hop, HOPS: hops, FASTMIG_STATE: state }).map(
    ([key, value]) => `--env=${key}=${value}`,
  );
  const program = [
    "--entrypoint=/usr/lib/fastmig/init",
    workloadsImage,
    "--",
    "/usr/lib/fastmig/node",
    `${state}/daemon.mjs`,
  ];
  const run = [
    "podman",
    "run",
    "--rm",
    "--user=0",
    "--security-opt=seccomp=unconfined",
    `--volume=${state}:${state}`,
  ];
  const script = 'exec 2>"$0"; exec "$@"';
  const said = `/run/hop-${hop}`;
  const output = await stage()
    .on("a", "sh", "-c", script, said, ...run, ...rights, ...env, ...program)
    .catch(async (error: unknown) => {
      throw new Error(`hop ${hop}: ${await stage().on("a", "cat", said)}`, { cause: error });
    });
  const lines = (await stage().on("a", "cat", said)).trimEnd().split("\n");
  return { seen: JSON.parse(lines.at(-1) ?? "") as Seen, output };
}

test("a tree that forks after every hop finds its PIDs free over four hops, and its output goes on", async () => {
  const outputs: string[] = [];
  let before: Seen | undefined;
  for (let hop = 0; hop <= hops; hop++) {
    const { seen, output } = await container(hop);
    outputs.push(output);
    expect(seen.root).toBe(1000);
    expect(seen.known).toContain(1000);
    expect(seen.taken).toEqual(before?.now ?? []);
    expect(seen.now).toHaveLength(hop + 1);
    expect(Math.max(...seen.now)).toBeGreaterThan(seen.highest ?? 1000);
    if (hop < hops) expect(seen.end).toMatchObject({ pid: 1000, end: { kind: "signaled", signal: 9 } });
    before = seen;
  }
  const ticks = outputs.join("\n").match(/tick \d+/g) ?? [];
  expect(ticks).toEqual(ticks.map((_, at) => `tick ${at + 1}`));
}, 120_000);
