import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import { pause, waitFor } from "../../../src/wait.js";
import { type InitBench } from "./init-bench.js";
import { onBench } from "./on-bench.js";

const bench = onBench();
const sh = (script: string): string[] => ["sh", "-c", script];
const stop = 15;

/** A signal to init from inside its PID namespace. */
const signalInit = (daemon: Awaited<ReturnType<InitBench["life"]>>, signal: string): Promise<number> =>
  daemon.spawn({ argv: ["kill", `-${signal}`, "1"] });

describe("the daemon's death", () => {
  test("is survived by service and pipes; what happened meanwhile is told to the next one", async () => {
    const b = bench();
    b.readStdout();
    const first = await b.life();
    expect(await first.call("hello")).toEqual({ version: 1, mode: "pid1" });
    const lasting = await first.spawn({ name: "lasting", argv: sh("while echo tick; do sleep 0.02; done") });
    const ending = await first.spawn({ name: "ending", argv: sh("sleep 0.1; exit 9") });
    const pipes = await first.pipes();
    first.call("die").catch(() => undefined);

    const second = await b.life(1);
    expect(await second.exit(ending)).toMatchObject({ name: "ending", end: { kind: "exited", code: 9 } });
    expect(await second.list()).toMatchObject([{ pid: lasting, name: "lasting" }]);
    expect(await second.pipes()).toEqual(pipes);
    const ticks = b.stdout.length;
    await waitFor("more ticks", () => Promise.resolve(b.stdout.length > ticks ? true : undefined), {
      timeout: 5000,
    });
  });

  test("before it acted upon an exit: the next one is told again", async () => {
    const b = bench();
    const first = await b.life();
    const pid = await first.spawn({ name: "unacknowledged", argv: sh("sleep 0.1; exit 4") });
    expect(await first.exit(pid)).toMatchObject({ end: { code: 4 } });
    const second = await b.life(1);
    expect(await second.exit(pid)).toMatchObject({ end: { code: 4 } });
  });

  test("is brought about by init where it breaks the protocol", async () => {
    const b = bench();
    (await b.life()).call("babble", "\u0004\0\0\0abcd").catch(() => undefined);
    expect(await (await b.life(1)).list()).toEqual([]);
    expect(b.stderr).toContain("the daemon is killed: its request cannot be understood");
    (await b.life(1)).call("babble", "long frames are not taken").catch(() => undefined);
    expect(await (await b.life(2)).list()).toEqual([]);
  });

  test("costs no exit of what was spawned, however many orphans end", async () => {
    const b = bench({ env: { TEST_ACKNOWLEDGE: "never" } });
    const first = await b.life();
    const named = await first.spawn({ name: "named", argv: sh("exit 8") });
    await first.exit(named);
    await first.exit(
      await first.spawn({ name: "storm", argv: sh("for i in $(seq 300); do (true &) ; done; sleep 0.2") }),
    );
    const missed = (): Promise<true | undefined> =>
      Promise.resolve(first.events.some(({ event }) => event === "missed") ? true : undefined);
    await waitFor("word of what there was no room for", missed, { timeout: 5000 });
    first.call("die").catch(() => undefined);
    const second = await b.life(1);
    expect(await second.exit(named)).toMatchObject({ name: "named", end: { code: 8 } });
  });
});

describe("the service's output", () => {
  test("50 MB pass whole, and nobody waits for a reader that is slow", async () => {
    const b = bench();
    const daemon = await b.life();
    const megabytes = 50;
    const pid = await daemon.spawn({ name: "writer", argv: sh(`head -c ${megabytes}000000 /dev/zero`) });
    // Nobody reads: the pipes are full by now, and init answers and reaps all the same.
    expect(await daemon.exit(await daemon.spawn({ name: "other", argv: sh("exit 1") }))).toMatchObject({
      end: { code: 1 },
    });
    expect(await daemon.list()).toMatchObject([{ pid, name: "writer" }]);

    let length = 0;
    const hash = createHash("sha256");
    b.process.stdout?.on("data", (chunk: Buffer) => {
      length += chunk.length;
      hash.update(chunk);
    });
    await daemon.exit(pid);
    daemon.call("shutdown", 0).catch(() => undefined);
    expect(await b.ended).toBe(0);
    expect(length).toBe(megabytes * 1_000_000);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(Buffer.alloc(length)).digest("hex"));
  });

  test("what was written before the end is not lost", async () => {
    const b = bench();
    b.readStdout();
    const daemon = await b.life();
    await daemon.exit(await daemon.spawn({ argv: sh("echo out; echo err >&2") }));
    daemon.call("shutdown", 7).catch(() => undefined);
    expect(await b.ended).toBe(7);
    expect(b.stdout).toContain("out\n");
    expect(b.stderr).toContain("err\n");
  });

  test("is thrown away where nobody will read it any more: the service goes on", async () => {
    const b = bench();
    const daemon = await b.life();
    b.process.stdout?.destroy();
    const pid = await daemon.spawn({ argv: sh("head -c 1000000 /dev/zero && exit 6") });
    expect(await daemon.exit(pid)).toMatchObject({ end: { kind: "exited", code: 6 } });
  });
});

describe("stopping", () => {
  test("is none where the signal means something else: the daemon is told, and nothing follows", async () => {
    const b = bench({ env: { FASTMIG_STOP_TIMEOUT: "1" } });
    const daemon = await b.life();
    await signalInit(daemon, "USR1");
    const usr1 = 10;
    await waitFor(
      "the signal",
      () => Promise.resolve(daemon.events.find(({ event }) => event === "signal")),
      { timeout: 5000 },
    );
    expect(daemon.events).toContainEqual({ event: "signal", signal: usr1 });
    await pause(1500);
    await daemon.exit(await daemon.spawn({ argv: ["true"] }));
  });

  test("is the daemon's business: it is told of the signal", async () => {
    const b = bench();
    const daemon = await b.life();
    await signalInit(daemon, "TERM");
    await waitFor(
      "the signal",
      () => Promise.resolve(daemon.events.find(({ event }) => event === "signal")),
      { timeout: 5000 },
    );
    expect(daemon.events).toContainEqual({ event: "signal", signal: stop });
    daemon.call("shutdown", 0).catch(() => undefined);
    expect(await b.ended).toBe(0);
  });

  test("is left to the next daemon where this one dies", async () => {
    const b = bench();
    const first = await b.life();
    await signalInit(first, "TERM");
    first.call("die").catch(() => undefined);
    const second = await b.life(1);
    await waitFor(
      "the signal",
      () => Promise.resolve(second.events.find(({ event }) => event === "signal")),
      { timeout: 5000 },
    );
  });

  test("ends by force after FASTMIG_STOP_TIMEOUT", async () => {
    const b = bench({ env: { FASTMIG_STOP_TIMEOUT: "1" } });
    const daemon = await b.life();
    await daemon.spawn({ argv: sh("trap '' TERM; sleep 100") });
    await signalInit(daemon, "TERM");
    expect(await b.ended).toBe(137);
    expect(b.stderr).toContain("the daemon did not stop within 1 s: everything is killed");
  });
});

describe("the state directory's lock", () => {
  test("keeps a second container of the service from starting", async () => {
    const b = bench();
    await b.life();
    const second = bench({ state: b.dir });
    expect(await second.ended).toBe(75);
    expect(second.stderr).toContain(
      `another container of this service is running on this node (it holds ${b.dir}/lock)`,
    );
    await b.end();
  });

  test("must have a place", async () => {
    const b = bench({ state: "" });
    expect(await b.ended).toBe(64);
    expect(b.stderr).toContain("FASTMIG_STATE does not name the service's state directory");
  });
});

describe("below another init", () => {
  test("adopts its own orphans and kills nobody else", async () => {
    const b = bench({ first: false });
    const daemon = await b.life();
    expect(await daemon.call("hello")).toEqual({ version: 1, mode: "subreaper" });
    await daemon.exit(await daemon.spawn({ argv: sh("setsid sleep 100 & exit 0") }));
    const [adopted] = await daemon.list();
    expect(adopted).toMatchObject({ name: "-" });
    b.process.kill("SIGTERM");
    await waitFor(
      "the signal",
      () => Promise.resolve(daemon.events.find(({ event }) => event === "signal")),
      { timeout: 5000 },
    );
    daemon.call("shutdown", 3).catch(() => undefined);
    await once(b.process, "exit");
    expect(b.process.exitCode).toBe(3);
    expect(() => process.kill(adopted?.pid ?? 0, 0)).toThrow("ESRCH");
  });
});
