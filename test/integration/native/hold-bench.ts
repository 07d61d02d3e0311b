import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, linkSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../../src/wait.js";
import { binary } from "./init-bench.js";

export type Action = "post-dump" | "post-restore";

/** Boot time in ns. /proc/uptime is CLOCK_BOOTTIME, in steps of 10 ms. */
export const bootTime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1e9;

/** The real hook in a migration's directory, as CRIU calls it. */
export class HoldBench {
  readonly dir = mkdtempSync(join(tmpdir(), "fastmig-hold-"));
  process: ChildProcess | undefined;
  ended: Promise<number | null> = Promise.resolve(null);
  stderr = "";

  call(action: string, env: Record<string, string> = {}, wrapper: string[] = []): this {
    const [command = "", ...rest] = [...wrapper, binary("hold")];
    const given = {
      FASTMIG_HOLD: this.dir,
      CRTOOLS_SCRIPT_ACTION: action,
      CRTOOLS_INIT_PID: String(process.pid),
      ...env,
    };
    const child = spawn(command, rest, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env.PATH, ...given },
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.process = child;
    this.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
    return this;
  }

  held(): Promise<string> {
    const held = join(this.dir, "held");
    const look = (): Promise<string | undefined> =>
      Promise.resolve(existsSync(held) ? readFileSync(held, "utf8") : undefined);
    return waitFor("held", look, { timeout: 5000, interval: 2 });
  }

  /** As the daemon decides: whole, once. */
  decide(verdict: string): void {
    const written = join(this.dir, ".written");
    writeFileSync(written, verdict);
    linkSync(written, join(this.dir, "verdict"));
  }

  lease(ns: number): void {
    writeFileSync(join(this.dir, ".lease"), String(Math.round(ns)));
    renameSync(join(this.dir, ".lease"), join(this.dir, "lease"));
  }

  verdict = (): string => readFileSync(join(this.dir, "verdict"), "utf8");

  async end(): Promise<void> {
    this.process?.kill("SIGKILL");
    await this.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
