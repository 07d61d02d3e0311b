import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterEach, beforeAll, expect, test } from "@jest/globals";
import { pause } from "../../../src/wait.js";
import { buildTorture, type TortureAccount } from "../../support/workloads/torture.js";

let program = "";
const running: Torture[] = [];

beforeAll(() => {
  program = buildTorture();
}, 60_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.end()));
});

/** The program on this machine. */
class Torture {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(...words: number[]) {
    this.child = spawn(program, words.map(String), { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.child.stdout!)[Symbol.asyncIterator]();
    running.push(this);
  }

  async ask<T>(words: string): Promise<T> {
    this.child.stdin!.write(`${words}\n`);
    return JSON.parse(((await this.#lines.next()) as IteratorYieldResult<string>).value) as T;
  }

  verify(): Promise<TortureAccount> {
    return this.ask<TortureAccount>("verify");
  }

  /** How it ended. */
  async end(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const ended = once(this.child, "exit");
    this.child.stdin!.end();
    const [code] = (await ended) as [number | null];
    return code;
  }
}

test("under everything that moves memory about no page is wrong, and its family ends with it", async () => {
  const torture = new Torture(16, 2000, 5);
  const first = await torture.verify();
  await pause(1000);
  const later = await torture.verify();
  expect([first.wrong, later.wrong]).toEqual([0, 0]);
  expect(later.pages).toBeGreaterThan((16 << 20) / 4096);
  expect(later.writes).toBeGreaterThan(first.writes + 1000);
  const { badExits, ...events } = later.events;
  expect(Math.min(...Object.values(events))).toBeGreaterThan(0);
  expect({ badExits, exit: await torture.end() }).toEqual({ badExits: 0, exit: 0 });
});

test("one flipped bit is found, and where it is", async () => {
  const torture = new Torture(4, 0, 0);
  expect(await torture.ask("flip 77")).toEqual({ flipped: true });
  expect(await torture.verify()).toMatchObject({ wrong: 1, first: { region: 1, page: 77 } });
});

test("a page that is spoiled from outside is found", async () => {
  const torture = new Torture(4, 0, 0);
  const before = await torture.verify();
  spoil(torture.child.pid ?? 0, 4 << 20);
  expect([before.wrong, (await torture.verify()).wrong]).toEqual([0, 1]);
});

test("its writes follow the rate", async () => {
  const torture = new Torture(4, 1000, 0);
  const first = await torture.verify();
  await pause(1000);
  const { writes } = await torture.verify();
  expect(writes - first.writes).toBeGreaterThan(500);
  expect(writes - first.writes).toBeLessThan(1500);
});

/** Writes zeroes over the first page of the process's greatest mapping. */
function spoil(pid: number, least: number): void {
  const ranges = readFileSync(`/proc/${pid}/maps`, "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[0] ?? "").split("-").map((each) => parseInt(each, 16)));
  const [start = 0] = ranges.find(([from = 0, to = 0]) => to - from >= least) ?? [];
  const memory = openSync(`/proc/${pid}/mem`, "r+");
  writeSync(memory, Buffer.alloc(4096), 0, 4096, start);
  closeSync(memory);
}
