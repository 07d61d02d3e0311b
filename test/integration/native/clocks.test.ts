import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildNative } from "../../support/workloads/native.js";
import { KeeperAccount } from "../../support/workloads/clocks.js";
import { HoldBench } from "./hold-bench.js";
import { binary, makeNative } from "./init-bench.js";

const day = 86_400;
/** The file's content, from seconds: CLOCK_MONOTONIC, _RAW, _BOOTTIME. */
function offsets(...seconds: [number, number, number]): Buffer {
  const content = Buffer.alloc(32);
  [1n, ...seconds.map((each) => BigInt(each) * 1_000_000_000n)].forEach((each, at) =>
    content.writeBigInt64LE(each, at * 8),
  );
  return content;
}
const uptime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

let bench: HoldBench;
let file: string;
let keeper: string;
let goKeeper: string;
let early: string;
let running: ChildProcess[] = [];

beforeAll(() => {
  makeNative();
  const built = buildNative("clocks");
  [keeper, goKeeper] = [built("keeper"), built("go-keeper")];
  early = built("early.so");
}, 120_000);
beforeEach(() => {
  bench = new HoldBench();
  file = join(bench.dir, "offsets");
});
afterEach(async () => {
  for (const { pid } of running) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  running = [];
  await bench.end();
});

/** What the program says, line by line. */
function start(program: string, words: string[] = []): { pid: number; next: () => Promise<KeeperAccount> } {
  const env = { PATH: process.env.PATH, LD_PRELOAD: binary("libfastmig-time.so"), FASTMIG_TIME: file };
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "inherit"], detached: true });
  running.push(child);
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<KeeperAccount> => {
    const [line] = (await once(lines, "line")) as [string];
    return KeeperAccount.parse(JSON.parse(line));
  };
  return { pid: child.pid ?? 0, next };
}

async function afterTwoWaits(next: () => Promise<KeeperAccount>): Promise<KeeperAccount> {
  for (;;) {
    const account = await next();
    const counts = Object.values(account.kept).map(([count]) => count);
    if (counts.length > 3 && Math.min(...counts) >= 2) return account;
  }
}

describe("a program that is started with the library", () => {
  test.each([
    ["in C", () => keeper, []],
    ["in Python", () => "python3", [join(import.meta.dirname, "../../support/workloads/clocks/keeper.py")]],
    ["in Go", () => goKeeper, []],
  ] as [string, () => string, string[]][])(
    "%s goes by the file's clocks, and waits by them",
    async (_in, program, words) => {
      writeFileSync(file, offsets(40 * day, 41 * day, 42 * day));
      const account = await afterTwoWaits(start(program(), words).next);
      expect(account.monotonic - uptime()).toBeCloseTo(40 * day, -1);
      expect(account.back).toBe(0);
      for (const [, late, early] of Object.values(account.kept)) {
        expect(late).toBeLessThan(1000);
        expect(early).toBe(0);
      }
    },
  );

  test("a library that asks for the time before this one is begun is told the file's too", () => {
    writeFileSync(file, offsets(40 * day, 41 * day, 42 * day));
    const preloaded = `${binary("libfastmig-time.so")}:${early}`;
    const said = execFileSync("true", { env: { ...process.env, LD_PRELOAD: preloaded, FASTMIG_TIME: file } });
    expect(Number(said) - uptime()).toBeCloseTo(40 * day, -1);
  });

  test("without a file it goes by the host's", async () => {
    const { monotonic } = await start(keeper).next();
    expect(monotonic - uptime()).toBeCloseTo(0, -1);
  });
});

describe("the hook", () => {
  const set = (pid: number): Promise<number | null> =>
    bench.call("post-restore", {
      FASTMIG_CLOCKS: bench.dir,
      FASTMIG_TIME: file,
      CRTOOLS_INIT_PID: String(pid),
    }).ended;
  const note = (text: string): void => writeFileSync(join(bench.dir, "clocks"), text);
  const ns = (seconds: number): string => `${BigInt(Math.round(seconds)) * 1_000_000_000n}`;

  test("notes what the service's clocks show, not the host's", async () => {
    writeFileSync(file, offsets(day, 2 * day, 3 * day));
    bench.call("post-dump", { FASTMIG_TIME: file });
    await bench.held();
    const noted = readFileSync(join(bench.dir, "clocks"), "utf8").trim().split(" ").map(Number);
    noted.forEach((each, at) => expect(each / 1e9 - uptime()).toBeCloseTo((at + 1) * day, -1));
    bench.decide("aborted\n");
    expect(await bench.ended).toBe(1);
  });

  test("notes nothing where the service goes by the host's", async () => {
    note("1 1 1\n");
    bench.call("post-dump", { FASTMIG_TIME: file });
    await bench.held();
    expect(existsSync(join(bench.dir, "clocks"))).toBe(false);
    bench.decide("aborted\n");
    await bench.ended;
  });

  test("sets the clocks of a program that runs, of its children, and of those to come", async () => {
    writeFileSync(file, offsets(0, 0, 0));
    const { pid, next } = start("sh", ["-c", `"${keeper}"; :`]);
    await next();
    note(`${ns(50 * day)} ${ns(50 * day)} ${ns(51 * day)}\n`);
    expect(await set(pid)).toBe(0);
    const { monotonic, boottime } = await afterTwoWaits(next);
    expect(monotonic).toBeCloseTo(50 * day, -1);
    expect(boottime).toBeCloseTo(51 * day, -1);
    expect((await start(keeper).next()).monotonic).toBeCloseTo(50 * day, -1);
  });

  test("sets nothing where nothing was noted", async () => {
    writeFileSync(file, offsets(day, day, day));
    expect(await set(process.pid)).toBe(0);
    expect(readFileSync(file)).toEqual(offsets(day, day, day));
  });

  test.each([
    ["a note without sense", "1 2\n", true, "the note of the clocks cannot be understood"],
    ["a note with more", "1 2 3 4\n", true, "the note of the clocks cannot be understood"],
    [
      "no file for the offsets",
      "1 2 3\n",
      false,
      "cannot write the clocks' offsets: No such file or directory",
    ],
  ])("refuses %s", async (_what, text, there, message) => {
    if (there) writeFileSync(file, offsets(0, 0, 0));
    note(text);
    expect(await set(process.pid)).toBe(1);
    expect(bench.stderr).toContain(`fastmig hold: ${message}`);
  });
});
