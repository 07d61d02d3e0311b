import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { decide } from "../../../src/daemon/verdict.js";
import { pause, waitFor } from "../../../src/wait.js";
import { HoldBench, bootTime } from "./hold-bench.js";
import { makeNative } from "./init-bench.js";

const benches: HoldBench[] = [];
const bench = (): HoldBench => {
  const made = new HoldBench();
  benches.push(made);
  return made;
};
const visible = (b: HoldBench): string[] => readdirSync(b.dir).filter((name) => !name.startsWith("."));
const second = 1e9;

beforeAll(makeNative, 60_000);
afterEach(async () => {
  await Promise.all(benches.splice(0).map((b) => b.end()));
});

test.each(["pre-dump", "post-resume", "setup-namespaces", "network-lock", ""])(
  "'%s' is not its business",
  async (action) => {
    const b = bench().call(action);
    expect(await b.ended).toBe(0);
    expect(readdirSync(b.dir)).toEqual([]);
  },
);

describe("post-dump: the tree is frozen", () => {
  test.each([
    ["released\n", 0],
    ["aborted\n", 1],
  ])("waits for the verdict: %j ends it with %i", async (verdict, status) => {
    const b = bench().call("post-dump");
    expect(await b.held()).toMatch(new RegExp(`^post-dump ${process.pid} \\d+\n$`));
    b.decide(verdict);
    expect(await b.ended).toBe(status);
    expect(b.verdict()).toBe(verdict);
  });

  test("obeys a verdict that stood before it came", async () => {
    const b = bench();
    b.decide("aborted\n");
    expect(await b.call("post-dump").ended).toBe(1);
  });

  test("decides itself at the end of the lease", async () => {
    const b = bench();
    const end = bootTime() + 0.2 * second;
    b.lease(end);
    b.call("post-dump");
    await b.held();
    expect(visible(b).sort()).toEqual(["held", "lease"]);
    expect(await b.ended).toBe(1);
    expect(bootTime()).toBeGreaterThanOrEqual(end - 0.01 * second);
    expect(b.verdict()).toBe("aborted\n");
    expect(b.stderr).toContain("the lease is over");
  });

  test("goes by the lease as it was renewed last", async () => {
    const b = bench();
    b.lease(bootTime() + 0.2 * second);
    b.call("post-dump");
    await b.held();
    b.lease(bootTime() + 30 * second);
    await pause(400);
    expect(visible(b)).not.toContain("verdict");
    b.lease(bootTime() + 0.1 * second);
    expect(await b.ended).toBe(1);
    expect(b.verdict()).toBe("aborted\n");
  });

  test("looks when it is woken, and only a verdict ends it", async () => {
    const b = bench().call("post-dump");
    await b.held();
    const wake = openSync(join(b.dir, ".wake"), constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(wake, "...");
    const isDrained = async (): Promise<true | undefined> => {
      try {
        readSync(wake, Buffer.alloc(8));
        writeSync(wake, ".");
      } catch {
        return true;
      }
      return undefined;
    };
    await waitFor("the hook to read its pipe", isDrained, { timeout: 5000, interval: 30 });
    closeSync(wake);
    expect(visible(b)).toEqual(["held"]);
    expect(await decide(b.dir, "released")).toBe("released");
    expect(await b.ended).toBe(0);
  });

  test("waits without a lease too", async () => {
    const b = bench().call("post-dump");
    await b.held();
    await pause(300);
    expect(visible(b)).toEqual(["held"]);
  });

  test("of two that decide at the same instant one wins, and the hook obeys it", async () => {
    for (let round = 0; round < 30; round++) {
      const b = bench();
      const end = bootTime() + 0.06 * second;
      b.lease(end);
      b.call("post-dump");
      await b.held();
      const spread = ((round % 10) - 5) * 0.001 * second;
      while (bootTime() < end + spread) await pause(1);
      let won = true;
      try {
        b.decide("released\n");
      } catch {
        won = false;
      }
      expect(await b.ended).toBe(won ? 0 : 1);
      expect(b.verdict()).toBe(won ? "released\n" : "aborted\n");
      await b.end();
    }
  }, 30_000);

  test("a verdict that cannot be understood releases nothing", async () => {
    const b = bench();
    b.lease(bootTime() + 0.2 * second);
    b.decide("releas");
    expect(await b.call("post-dump").ended).toBe(1);
    expect(b.verdict()).toBe("releas");
  });

  test("without a directory nothing can be released", async () => {
    const b = bench();
    expect(await b.call("post-dump", { FASTMIG_HOLD: join(b.dir, "gone") }).ended).toBe(1);
    const unset = bench();
    expect(await unset.call("post-dump", { FASTMIG_HOLD: "" }).ended).toBe(1);
  });

  test("with the directory gone after the hold, nothing can be released either", async () => {
    const b = bench();
    b.call("post-dump");
    await b.held();
    rmSync(b.dir, { recursive: true });
    expect(await b.ended).toBe(1);
  });

  test("a directory that takes no file: the service resumes, since it was never held", async () => {
    const b = bench();
    chmodSync(b.dir, 0o555);
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    expect(await b.call("post-dump", {}, asNobody).ended).toBe(1);
    expect(b.stderr).toContain("cannot write to the migration's directory: Permission denied");
    expect(readdirSync(b.dir)).toEqual([]);
  });

  test("works as the service's user in a directory of its own", async () => {
    const b = bench();
    chownSync(b.dir, 65534, 65534);
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    b.call("post-dump", {}, asNobody);
    await b.held();
    b.decide("released\n");
    expect(await b.ended).toBe(0);
  });

  test("where CRIU is gone the tree has resumed: it is said at once", async () => {
    const b = bench();
    // CRIU's system(3): sh execs its only command, so CRIU is the hook's parent; here, sh is.
    b.call("post-dump", {}, ["sh", "-c", '"$@" & wait', "sh"]);
    await b.held();
    b.process?.kill("SIGKILL");
    const seen = (): boolean => visible(b).includes("verdict");
    for (let look = 0; look < 200 && !seen(); look++) await pause(10);
    expect(b.verdict()).toBe("aborted\n");
  });
});

describe("post-restore: the tree is in memory and executes nothing", () => {
  test.each([
    ["running\n", 0],
    ["aborted\n", 1],
  ])("waits for the verdict, without any lease: %j ends it with %i", async (verdict, status) => {
    const b = bench();
    b.lease(1);
    b.call("post-restore");
    expect(await b.held()).toMatch(/^post-restore /);
    await pause(200);
    expect(b.process?.exitCode).toBeNull();
    b.decide(verdict);
    expect(await b.ended).toBe(status);
  });

  test("is not ended by a verdict that is none of its own", async () => {
    const b = bench().call("post-restore");
    await b.held();
    b.decide("released\n");
    await pause(200);
    expect(b.process?.exitCode).toBeNull();
    rmSync(join(b.dir, "verdict"));
    writeFileSync(join(b.dir, "verdict"), "running\n");
    expect(await b.ended).toBe(0);
  });

  describe("the restored tree's stdio", () => {
    const trees: ChildProcess[] = [];
    afterEach(() => void trees.splice(0).forEach(({ pid = 0 }) => process.kill(-pid, "SIGKILL")));

    /** A root that does not have the pipe itself; one of its children has. */
    async function tree(): Promise<{ CRTOOLS_INIT_PID: string; FASTMIG_STDOUT_INODE: string }> {
      const script =
        "exec 7> >(cat >&2); stat -Lc %i /proc/self/fd/7; sleep 100 >&7 7>&- & exec 7>&-; echo; wait";
      const root = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "ignore"], detached: true });
      trees.push(root);
      const [line] = (await once(root.stdout, "data")) as [Buffer];
      return { CRTOOLS_INIT_PID: String(root.pid), FASTMIG_STDOUT_INODE: line.toString().trim() };
    }

    test("must be the kept pipes where the dumped tree had them", async () => {
      const b = bench().call("post-restore", { ...(await tree()), FASTMIG_EXPECT_STDOUT: "1" });
      await b.held();
    });

    test("is refused where it is another pipe", async () => {
      const env = { ...(await tree()), FASTMIG_STDERR_INODE: "4026531999", FASTMIG_EXPECT_STDERR: "1" };
      const b = bench().call("post-restore", env);
      expect(await b.ended).toBe(1);
      expect(b.stderr).toBe(
        "fastmig hold: the restored tree does not have the service's stderr, pipe:[4026531999]\n",
      );
      expect(visible(b)).toEqual([]);
    });

    test("is not missed where the dumped tree had none", async () => {
      const env = { ...(await tree()), FASTMIG_STDOUT_INODE: "1", FASTMIG_EXPECT_STDOUT: "0" };
      await bench().call("post-restore", env).held();
    });
  });
});
