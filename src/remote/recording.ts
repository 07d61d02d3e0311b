import { PassThrough } from "node:stream";
import type { Duplex } from "node:stream";
import type { Argv } from "../argv.js";
import type { ExecOptions, Node, Outcome, RemoteProcess } from "./node.js";
import { socketRefused } from "./socket-error.js";

export type Answer = (argv: Argv) => Partial<Outcome> | undefined;

/** Runs nothing: every command is recorded and exits 0 without a word, unless a test gives it an answer. */
export class RecordingNode implements Node {
  readonly name: string;
  readonly address: string;
  readonly identity: string;
  readonly user = "nobody";
  readonly lost = new Promise<string>(() => undefined);
  /** What was asked to run, in order. */
  readonly commands: Argv[] = [];
  readonly #answer: Answer;

  constructor(name: string, answer: Answer = () => undefined) {
    this.name = name;
    this.address = name;
    this.identity = `recording:${name}`;
    this.#answer = answer;
  }

  exec(argv: Argv, _options?: ExecOptions): Promise<Outcome> {
    this.commands.push(argv);
    const said: Outcome = { kind: "exited", code: 0, stdout: "", stderr: "" };
    return Promise.resolve({ ...said, ...this.#answer(argv) } as Outcome);
  }

  async spawn(argv: Argv): Promise<RemoteProcess> {
    const outcome = this.exec(argv);
    const stdout = new PassThrough();
    stdout.end((await outcome).stdout);
    return { stdin: new PassThrough().resume(), stdout, outcome };
  }

  connect(socketPath: string): Promise<Duplex> {
    return Promise.reject(socketRefused(this.name, socketPath, new Error("a recording node has no sockets")));
  }

  listen(): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
