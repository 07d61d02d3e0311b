import { Socket } from "node:net";
import { assertNever } from "../errors.js";
import {
  encodeRequest,
  parseInitLine,
  parseLiveChild,
  spawnWords,
  type ExitEvent,
  type InitLine,
  type InitMode,
  type LiveChild,
  type SpawnRequest,
} from "./init-protocol.js";
import type { ProcessId } from "./procfs.js";

export { capability, inheritedPipeFds } from "./init-protocol.js";
export type {
  ExitEvent,
  InitMode,
  LiveChild,
  ProcessEnd,
  SpawnRequest,
  SpawnStdio,
} from "./init-protocol.js";

/** Init understood a request and refused it, or the attempt failed: `reason` is init's own text. */
export class InitRefusal extends Error {
  readonly verb: string;
  readonly reason: string;

  constructor(verb: string, reason: string) {
    super(`init refused '${verb}': ${reason}`);
    this.name = "InitRefusal";
    this.verb = verb;
    this.reason = reason;
  }
}

/** Those that end a container: HUP, INT, QUIT, TERM. */
export const stopSignals: readonly number[] = [1, 2, 3, 15];

export interface InitHandlers {
  /**
   * A spawned or adopted process ended. Init keeps the exit and tells the next daemon again until this
   * returned (or its promise resolved): so the same exit may come twice, after a daemon's death.
   * What it throws is an unhandled rejection.
   */
  exited(event: ExitEvent): void | Promise<void>;
  /**
   * Init got it. `stopSignals`: stop the service, then call `shutdown` within the stop timeout. Others are USR1, USR2, ALRM and
   * WINCH, after which nothing has to be done.
   */
  signal(signal: number): void;
  /** Exits that init had no room to keep: ask `list` what is alive. */
  missed?(count: number): void;
  /** The line to init is gone: nothing can be done but exit. Init starts the next daemon. */
  lost(error: Error): void;
}

export interface PipeInodes {
  stdout: number;
  stderr: number;
}

/** Init's services. Every promise rejects with InitRefusal, or with the reason why the line was lost. */
export interface InitClient {
  readonly hello: Promise<{ version: number; mode: InitMode }>;
  /** Resolves once the program is executing; a program that cannot be executed is a refusal. */
  spawn(request: SpawnRequest): Promise<ProcessId>;
  /** Moves the kernel's PID cursor to at least `atLeast`; resolves to where it is. */
  moveCursor(atLeast: number): Promise<number>;
  /** A negative PID below -1 is a process group. */
  kill(pid: number, signal: number): Promise<void>;
  /** Live children of init, spawned or adopted, without the daemon. */
  list(): Promise<LiveChild[]>;
  /** The inodes of the service's stdout and stderr pipes, as `/proc/PID/fd` shows them. */
  pipes(): Promise<PipeInodes>;
  chownPipes(uid: number, gid: number): Promise<void>;
  /** Init kills what is left, writes the rest of the output and exits with `status`. */
  shutdown(status: number): Promise<void>;
}

interface Pending {
  verb: string;
  resolve(words: string[]): void;
  reject(error: Error): void;
}

/** Speaks with init over the socket at `fd` (FASTMIG_INIT_FD). One client per process. */
export function connectInit(fd: number, handlers: InitHandlers): InitClient {
  const line = new InitConnection(new Socket({ fd, readable: true, writable: true }), handlers);
  return {
    hello: line.hello,
    spawn: async (request) => processId(await line.ask(spawnWords(request))),
    moveCursor: async (atLeast) => Number((await line.ask(["cursor", String(atLeast)]))[0]),
    kill: async (pid, signal) => void (await line.ask(["kill", String(pid), String(signal)])),
    list: async () => (await line.ask(["list"])).map(parseLiveChild),
    pipes: async () => pipeInodes(await line.ask(["pipes"])),
    chownPipes: async (uid, gid) => void (await line.ask(["chown-pipes", String(uid), String(gid)])),
    shutdown: async (status) => void (await line.ask(["shutdown", String(status)])),
  };
}

function processId([pid, startTicks]: string[]): ProcessId {
  return { pid: Number(pid), startTicks: Number(startTicks) };
}

function pipeInodes([stdout, stderr]: string[]): PipeInodes {
  return { stdout: Number(stdout), stderr: Number(stderr) };
}

class InitConnection {
  readonly hello: Promise<{ version: number; mode: InitMode }>;
  readonly #pending = new Map<number, Pending>();
  readonly #socket: Socket;
  readonly #handlers: InitHandlers;
  readonly #greeting = Promise.withResolvers<{ version: number; mode: InitMode }>();
  #nextId = 1;
  #unread = "";
  #lost: Error | undefined;

  constructor(socket: Socket, handlers: InitHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.hello = this.#greeting.promise;
    this.hello.catch(() => undefined);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#read(text));
    socket.on("error", (error) => this.#lose(error));
    socket.on("close", () => this.#lose(new Error("init closed the control line")));
  }

  ask(words: readonly string[]): Promise<string[]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    const frame = encodeRequest(id, words);
    this.#pending.set(id, { verb: words[0] ?? "", resolve, reject });
    this.#socket.write(frame);
    return promise;
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split("\n");
    this.#unread = lines.pop() ?? "";
    try {
      for (const line of lines) this.#take(parseInitLine(line));
    } catch (thrown) {
      this.#socket.destroy(thrown as Error);
    }
  }

  #take(line: InitLine): void {
    switch (line.kind) {
      case "hello":
        return this.#greeting.resolve({ version: line.version, mode: line.mode });
      case "answer":
        return this.#answer(line);
      case "exited":
        return void this.#exited(line.sequence, line.event);
      case "lost":
        return this.#handlers.missed?.(line.count);
      case "signal":
        return this.#handlers.signal(line.signal);
      default:
        return assertNever(line);
    }
  }

  #answer(line: Extract<InitLine, { kind: "answer" }>): void {
    const pending = this.#pending.get(line.id);
    if (pending === undefined) throw new Error(`init answered a request that was not made: ${line.id}`);
    this.#pending.delete(line.id);
    if (line.ok) pending.resolve(line.words);
    else pending.reject(new InitRefusal(pending.verb, line.reason));
  }

  /** Acknowledged only after the handler is done: an exit that the daemon did not survive is told again. */
  async #exited(sequence: number, event: ExitEvent): Promise<void> {
    await this.#handlers.exited(event);
    if (this.#lost === undefined) this.#socket.write(encodeRequest(0, ["ack", String(sequence)]));
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#greeting.reject(error);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#handlers.lost(error);
  }
}
