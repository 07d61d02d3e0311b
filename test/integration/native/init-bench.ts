import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type ExitEvent,
  type LiveChild,
  type PipeInodes,
  type SpawnRequest,
} from "../../../src/daemon/init-client.js";
import type { ProcessId } from "../../../src/daemon/procfs.js";
import { waitFor } from "../../../src/wait.js";

const root = join(import.meta.dirname, "../../..");
export const binary = (
  name: "init" | "hold" | "pages" | "shards" | "libfastmig-time.so" | "libfastmig-shm.so",
): string => join(root, "build/native", name);

/** One at a time: several test files want it at once. */
export function makeNative(): void {
  mkdirSync(join(root, "build"), { recursive: true });
  const make = ["make", "--silent", "-C", join(root, "native")];
  execFileSync("flock", [join(root, "build/native.lock"), ...make], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

export type Event =
  | ({ event: "exited" } & ExitEvent)
  | { event: "signal"; signal: number }
  | { event: "missed"; count: number };
type Message = Event | { id: number; value?: unknown; error?: string };

type Request = Partial<SpawnRequest> & Pick<SpawnRequest, "argv">;

/** One life of the little daemon: what it can be asked, and what init told it. */
export class DaemonLife {
  readonly events: Event[] = [];
  #next = 1;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();

  constructor(readonly socket: Socket) {
    createInterface(socket).on("line", (line) => this.#take(JSON.parse(line) as Message));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#waiting.forEach(({ reject }) => reject(new Error("the daemon is dead"))));
  }

  #take(message: Message): void {
    if ("event" in message) {
      this.events.push(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (message.error === undefined) waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.error));
  }

  async call<T>(method: string, ...parameters: unknown[]): Promise<T> {
    const id = this.#next++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.socket.write(`${JSON.stringify([id, method, ...parameters])}\n`);
    return (await answer.promise) as T;
  }

  begin(request: Request): Promise<ProcessId> {
    const usual = {
      name: "service",
      uid: 0,
      gid: 0,
      cwd: "/",
      stdio: "service",
      env: { PATH: process.env.PATH ?? "" },
    };
    return this.call("spawn", { ...usual, ...request });
  }

  async spawn(request: Request): Promise<number> {
    const { pid } = await this.begin(request);
    return pid;
  }

  list = (): Promise<LiveChild[]> => this.call("list");
  pipes = (): Promise<PipeInodes> => this.call("pipes");

  /** The exit of this PID, once it has come. */
  exit(pid: number): Promise<ExitEvent> {
    const found = (): Promise<ExitEvent | undefined> =>
      Promise.resolve(
        this.events.filter((event) => event.event === "exited").find((event) => event.pid === pid),
      );
    return waitFor(`the exit of ${pid}`, found, { timeout: 5000, interval: 5 });
  }
}

export interface BenchOptions {
  env?: Record<string, string>;
  /** In a PID namespace of its own, as PID 1; else as a subreaper among this machine's processes. */
  first?: boolean;
  state?: string;
}

/** The real init, in a PID namespace, with the little daemon below it. */
export class InitBench {
  readonly dir = mkdtempSync(join(tmpdir(), "fastmig-init-"));
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly #server: Server;
  readonly #lives: DaemonLife[] = [];
  stdout = "";
  stderr = "";

  constructor({ env = {}, first = true, state = this.dir }: BenchOptions = {}) {
    const socket = join(this.dir, "test.sock");
    this.#server = createServer((connection) => this.#lives.push(new DaemonLife(connection))).listen(socket);
    const loader = join(root, "scripts/typescript.js");
    const daemon = [process.execPath, "--disable-warning=ExperimentalWarning", "--import", loader];
    const init = [
      binary("init"),
      "--state",
      state,
      "--",
      ...daemon,
      join(import.meta.dirname, "little-daemon.ts"),
    ];
    const [command = "", ...rest] = first
      ? ["unshare", "-p", "-f", "--mount-proc", "--kill-child", ...init]
      : init;
    this.process = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, TEST_SOCKET: socket, ...env },
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => this.process.on("close", (code) => resolve(code)));
  }

  /** The daemon's nth life, from 0. */
  life(number = 0): Promise<DaemonLife> {
    return waitFor(`the daemon's life ${number}`, () => Promise.resolve(this.#lives[number]), {
      timeout: 10_000,
      interval: 5,
    });
  }

  /** Collects what init writes to its stdout, from now on. */
  readStdout(): void {
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
  }

  async end(): Promise<void> {
    this.readStdout();
    this.process.kill("SIGKILL");
    await this.ended;
    this.#server.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
