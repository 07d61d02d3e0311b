import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { capability } from "../../../src/daemon/init-client.js";
import { waitFor } from "../../../src/wait.js";
import { onBench } from "./on-bench.js";

const bench = onBench();
const sh = (script: string): string[] => ["sh", "-c", script];

describe("spawn", () => {
  test("tells how a process ended, by its name", async () => {
    const daemon = await bench().life();
    const three = await daemon.spawn({ name: "three", argv: sh("exit 3") });
    const killed = await daemon.spawn({ name: "killed", argv: sh("kill -9 $$") });
    expect(await daemon.exit(three)).toMatchObject({ name: "three", end: { kind: "exited", code: 3 } });
    expect(await daemon.exit(killed)).toMatchObject({ name: "killed", end: { kind: "signaled", signal: 9 } });
  });

  test("tells when a process began, however short its life", async () => {
    const daemon = await bench().life();
    const { pid, startTicks } = await daemon.begin({ argv: ["true"] });
    expect(await daemon.exit(pid)).toMatchObject({ startTicks });
  });

  test("tells of the orphans that it reaps, without a name", async () => {
    const daemon = await bench().life();
    await daemon.spawn({ argv: sh("(sleep 0.1; exit 5) & exit 0") });
    const adopted = await waitFor(
      "an orphan's exit",
      () => Promise.resolve(daemon.events.find((event) => event.event === "exited" && event.name === "-")),
      { timeout: 5000 },
    );
    expect(adopted).toMatchObject({ end: { kind: "exited", code: 5 } });
  });

  test("lists live children with their start", async () => {
    const daemon = await bench().life();
    const pid = await daemon.spawn({ name: "sleeper", argv: ["sleep", "100"] });
    expect(await daemon.list()).toEqual([{ pid, name: "sleeper", startTicks: expect.any(Number) }]);
    await daemon.call("kill", pid, 15);
    expect(await daemon.exit(pid)).toMatchObject({ end: { kind: "signaled", signal: 15 } });
    expect(await daemon.list()).toEqual([]);
  });

  test("refuses a program that cannot be executed, and tells no exit of it", async () => {
    const daemon = await bench().life();
    await expect(daemon.spawn({ argv: ["/nowhere/program"] })).rejects.toThrow(
      "init refused 'spawn': cannot execute /nowhere/program: No such file or directory",
    );
    await expect(daemon.spawn({ cwd: "/nowhere", argv: ["true"] })).rejects.toThrow("cannot enter /nowhere");
    await expect(daemon.spawn({ name: "two words", argv: ["true"] })).rejects.toThrow("bad name");
    const pid = await daemon.spawn({ argv: ["true"] });
    await daemon.exit(pid);
    expect(daemon.events).toHaveLength(1);
  });

  test("gives the process the PID that it is to have, or says that it is taken", async () => {
    const daemon = await bench().life();
    expect(await daemon.spawn({ pid: 4321, argv: ["sleep", "100"] })).toBe(4321);
    await expect(daemon.spawn({ pid: 4321, argv: ["true"] })).rejects.toThrow("that PID is taken");
  });

  test("leaves a process of another user nothing but the capabilities asked for, and no descriptor but stdio", async () => {
    const b = bench();
    b.readStdout();
    const daemon = await b.life();
    const { SYS_PTRACE, CHECKPOINT_RESTORE } = capability;
    const pid = await daemon.spawn({
      uid: 1234,
      gid: 2345,
      groups: [3456, 4567],
      ambient: [SYS_PTRACE, CHECKPOINT_RESTORE],
      argv: sh("grep -E 'Uid|Gid|Groups|Cap|SigIgn|SigBlk' /proc/self/status; stat -c %n /proc/self/fd/*"),
    });
    await daemon.exit(pid);
    const expected = ((1n << 40n) | (1n << 19n)).toString(16).padStart(16, "0");
    const line = (text: string): Promise<true | undefined> =>
      Promise.resolve(b.stdout.includes(text) ? true : undefined);
    await waitFor("the end of the output", () => line("/proc/self/fd/2\n"), { timeout: 5000 });
    expect(b.stdout).toContain("Uid:\t1234\t1234\t1234\t1234");
    expect(b.stdout).toContain("Gid:\t2345\t2345\t2345\t2345");
    expect(b.stdout).toMatch(/Groups:\s3456 4567/);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
      expect(b.stdout).toContain(`${set}:\t${expected}`);
    expect(b.stdout).toContain("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
    expect(b.stdout.split("\n").filter((word) => word.startsWith("/proc/self/fd/"))).toEqual(
      // The last one is stat's own look at the directory: the shell expanded it, and it is closed.
      ["/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"],
    );
  });

  test("drops every capability of another user's process where none is asked for", async () => {
    const b = bench();
    b.readStdout();
    const daemon = await b.life();
    await daemon.exit(
      await daemon.spawn({ uid: 1234, gid: 1234, argv: ["grep", "Cap", "/proc/self/status"] }),
    );
    await waitFor("the output", () => Promise.resolve(b.stdout.includes("CapAmb") ? true : undefined), {
      timeout: 5000,
    });
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
      expect(b.stdout).toContain(`${set}:\t0000000000000000`);
  });

  test("appends the output to a file that belongs to the user alone", async () => {
    const b = bench();
    const daemon = await b.life();
    const file = join(b.dir, "criu.out");
    for (const word of ["one", "two"])
      await daemon.exit(
        await daemon.spawn({
          uid: 1234,
          gid: 1234,
          stdio: { file },
          argv: sh(`echo ${word}; echo ${word} >&2`),
        }),
      );
    expect(await readFile(file, "utf8")).toBe("one\none\ntwo\ntwo\n");
    const { mode, uid } = await stat(file);
    expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o600, uid: 1234 });
  });

  test("has a process adopt its orphans where that is asked for", async () => {
    const b = bench();
    b.readStdout();
    const daemon = await b.life();
    const orphan = `sh -c 'sleep 0.2; echo "parent $(cut -d" " -f4 /proc/$$/stat)"'`;
    for (const stdio of ["subreaper", "service"] as const) {
      const pid = await daemon.spawn({ stdio, argv: sh(`(${orphan} &); sleep 0.5`) });
      await daemon.exit(pid);
      await waitFor("its words", async () => /parent (\d+)/.exec(b.stdout)?.[1], { timeout: 5000 });
      const parent = Number(/parent (\d+)\n$/.exec(b.stdout)?.[1]);
      expect(parent === pid).toBe(stdio === "subreaper");
    }
  });

  test("puts the kept pipes where CRIU is told to find them, openable by the service's user", async () => {
    const b = bench();
    const daemon = await b.life();
    const file = join(b.dir, "criu.out");
    const script = "readlink /proc/self/fd/10 /proc/self/fd/11; echo reopened > /proc/self/fd/10";
    await daemon.exit(
      await daemon.spawn({ uid: 1234, gid: 1234, stdio: { file }, inheritPipes: true, argv: sh(script) }),
    );
    const { stdout, stderr } = await daemon.pipes();
    expect(await readFile(file, "utf8")).toBe(`pipe:[${stdout}]\npipe:[${stderr}]\n`);
  });
});

describe("the PID cursor", () => {
  test("moves to the PID and not beyond", async () => {
    const daemon = await bench().life();
    expect(await daemon.call("moveCursor", 2000)).toBe(2000);
    expect(await daemon.spawn({ argv: ["true"] })).toBe(2001);
    expect(await daemon.call("moveCursor", 1000)).toBe(2001);
  });

  test("refuses what is too near to pid_max", async () => {
    const daemon = await bench().life();
    await expect(daemon.call("moveCursor", 2 ** 30)).rejects.toThrow("too near to pid_max");
  });

  test("does not keep anybody waiting while it moves", async () => {
    const daemon = await bench().life();
    let arrived = false;
    const moving = daemon.call("moveCursor", 20_000).then(() => (arrived = true));
    await daemon.exit(await daemon.spawn({ argv: ["true"] }));
    expect(arrived).toBe(false);
    await moving;
  });
});
