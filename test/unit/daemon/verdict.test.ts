import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createOnce, replaceDurably } from "../../../src/daemon/durable.js";
import { Lease } from "../../../src/daemon/handover/lease.js";
import { openOwnership } from "../../../src/daemon/ownership.js";
import { decide, prepareVerdict, readVerdict } from "../../../src/daemon/verdict.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-verdict-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("a verdict", () => {
  test("is created once; whoever comes later obeys the one that stands", async () => {
    expect(await readVerdict(directory)).toBeNull();
    const all = await Promise.all([
      decide(directory, "released"),
      decide(directory, "aborted"),
      decide(directory, "aborted"),
    ]);
    expect(new Set(all).size).toBe(1);
    expect(await readVerdict(directory)).toBe(all[0]);
  });

  test("leaves no other file behind", async () => {
    await decide(directory, "aborted");
    await decide(directory, "released");
    expect(await readdir(directory)).toEqual(["verdict"]);
  });

  test("takes what was prepared for it, and nothing of it stays", async () => {
    await prepareVerdict(directory, "released");
    const { ino } = await stat(join(directory, "released.ready"));
    expect(await decide(directory, "released")).toBe("released");
    expect(await readdir(directory)).toEqual(["verdict"]);
    expect(await stat(join(directory, "verdict"))).toMatchObject({ ino, mode: 0o100644 });
  });

  test("is not what was prepared where another stands", async () => {
    await prepareVerdict(directory, "released");
    await decide(directory, "aborted");
    expect(await decide(directory, "released")).toBe("aborted");
    expect(await readVerdict(directory)).toBe("aborted");
  });

  test("that was prepared is created once all the same", async () => {
    await prepareVerdict(directory, "released");
    const all = await Promise.all([
      decide(directory, "released"),
      decide(directory, "aborted"),
      decide(directory, "released"),
    ]);
    expect(new Set(all).size).toBe(1);
    expect(await readVerdict(directory)).toBe(all[0]);
  });

  test("wakes the hook at its pipe, and writes into nothing else", async () => {
    const wake = join(directory, ".wake");
    execFileSync("mkfifo", [wake]);
    const pipe = openSync(wake, constants.O_RDWR | constants.O_NONBLOCK);
    await decide(directory, "aborted");
    const heard = Buffer.alloc(8);
    expect(heard.toString("utf8", 0, readSync(pipe, heard))).toBe(".");
    closeSync(pipe);
    await rm(wake);
    await rm(join(directory, "verdict"));
    await writeFile(wake, "");
    expect(await decide(directory, "released")).toBe("released");
    expect(await readFile(wake, "utf8")).toBe("");
  });

  test("that is damaged is not guessed at", async () => {
    await replaceDurably(join(directory, "verdict"), "rele");
    await expect(readVerdict(directory)).rejects.toThrow('says "rele"');
  });
});

test("a file that is created once keeps its first content", async () => {
  const path = join(directory, "open.json");
  expect(await createOnce(path, "first")).toBe(true);
  expect(await createOnce(path, "second")).toBe(false);
  expect(await readFile(path, "utf8")).toBe("first");
});

describe("ownership", () => {
  const service = { name: "s", command: ["true"], env: {}, user: "0", workdir: "/" };

  test("begins as nobody's and survives a restart", async () => {
    const path = join(directory, "ownership.json");
    const store = await openOwnership(path);
    expect(store.get()).toEqual({ epoch: 0, role: "none", service: null });
    await store.set({ epoch: 3, role: "released", service });
    expect((await openOwnership(path)).get()).toEqual({ epoch: 3, role: "released", service });
  });

  test("never goes back to an older epoch", async () => {
    const store = await openOwnership(join(directory, "ownership.json"));
    await store.set({ epoch: 3, role: "released", service });
    await expect(store.set({ epoch: 2, role: "owner", service })).rejects.toThrow("older than 3");
  });
});

describe("a lease", () => {
  const leaseEnd = async (): Promise<number> =>
    Number(await readFile(join(directory, "lease"), "utf8")) / 1e6;
  const now = async (): Promise<number> =>
    Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]) * 1000;

  test("ends its length from now on the clock that the hook reads", async () => {
    await new Lease(directory, { lease: 10_000, deadline: 60_000 }).renew();
    expect(Math.abs((await leaseEnd()) - (await now()) - 10_000)).toBeLessThan(200);
  });

  test("never passes the deadline", async () => {
    await new Lease(directory, { lease: 10_000, deadline: 3000 }).renew();
    expect((await leaseEnd()) - (await now())).toBeLessThan(3100);
  });

  test("is not written again within a quarter of its length", async () => {
    const lease = new Lease(directory, { lease: 10_000, deadline: 60_000 });
    await lease.renew();
    const first = await leaseEnd();
    await lease.renew();
    expect(await leaseEnd()).toBe(first);
  });
});
