import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { pause, waitFor } from "../../../src/wait.js";
import { root } from "../../support/fastmig.js";
import { type SeedAccount } from "../../support/workloads/seed.js";

const port = 18_020;
const program = join(root, "test/support/workloads/image/seed.py");
let server: ChildProcess;

beforeAll(async () => {
  server = spawn("python3", ["-B", program, "seed", String(port), "8", "10"], { stdio: "inherit" });
  await waitFor("the server", () => ask("GET", "/identity"), { timeout: 20_000 });
});
afterAll(async () => {
  const ended = once(server, "exit");
  server.kill("SIGKILL");
  await ended;
});

async function ask<T>(method: string, path: string): Promise<T> {
  return (await (await fetch(`http://127.0.0.1:${port}${path}`, { method })).json()) as T;
}

test("a tenth of its pages is written every second, none is wrong, and the rest stays as it was", async () => {
  const verify = (): Promise<SeedAccount> => ask<SeedAccount>("POST", "/verify");
  const first = await verify();
  await pause(1000);
  const later = await verify();
  expect([first, later]).toMatchObject([
    { pages: 2048, wrong: [] },
    { wrong: [], rest: first.rest },
  ]);
  expect(later.writes - first.writes).toBeGreaterThan(100);
  expect(later.writes - first.writes).toBeLessThan(400);
});

test("packets are numbered, one a second; who asks again misses none", async () => {
  const first = await packets(-1, 2);
  const more = await packets(first.at(-1) ?? NaN, 2);
  expect([...first, ...more]).toEqual([0, 1, 2, 3]);
});

/** The numbers of so many packets after one. */
async function packets(after: number, count: number): Promise<number[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/packets?after=${after}`);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n").length <= count) text += (await reader.read()).value ?? "";
  await reader.cancel();
  return Array.from(text.matchAll(/^\[(\d+)\] \d\d:\d\d:\d\d$/gm), ([, number]) => Number(number)).slice(
    0,
    count,
  );
}
