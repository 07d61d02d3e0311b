import { createInterface, type Interface } from "node:readline";
import { exitCodes, FastmigError } from "../../errors.js";
import type { Node, RemoteProcess } from "../../remote/node.js";
import * as podman from "../../remote/engine.js";
import { commandFailed, run } from "../../remote/run.js";
import type { Site } from "../site.js";
import { throttleScript, undoScript } from "./script.js";

/** What is left of the processor time that the service used, step by step. */
export const throttleSteps: readonly number[] = [0.5, 0.25, 0.1];

/** Seconds without a word from here after which the node gives the time back by itself. */
const patience = 10;
/** Milliseconds. */
const answerMs = 15_000;
/** Microseconds within 100 ms: the kernel takes no less, and a service that gets less does not live. */
const leastQuota = 2000;

/**
 * A service that gets less processor time, as long as this object says so. The node gives the time back when it is lifted,
 * when this program ends however it does, and when the link is silent.
 */
export class Throttle {
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #argv: readonly string[];
  #beat: NodeJS.Timeout | undefined;
  #usage = 0;

  private constructor(
    private readonly node: Node,
    argv: readonly string[],
    private readonly process: RemoteProcess,
  ) {
    this.#argv = argv.slice(0, 1);
    this.#reader = createInterface({ input: process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** `pids`: the service's processes, as its container numbers them. Takes nothing yet; measures what it uses, for a second. */
  static async open(site: Pick<Site, "node" | "service">, pids: readonly number[]): Promise<Throttle> {
    const node = await site.node();
    const init = (await run(node, podman.inspectFormat(site.service, "{{.State.Pid}}"))).trim();
    const words = [init, String(patience), undoScript, ...pids.map(String)];
    const argv = ["bash", "-c", throttleScript, "bash", ...words];
    const throttle = new Throttle(node, argv, await node.spawn(argv));
    throttle.#usage = Number((await throttle.#answer()).replace(/^usage /, ""));
    return throttle;
  }

  /** Leaves the service that part of what it used. Answers the quota, microseconds within 100 ms. */
  async set(part: number): Promise<number> {
    const quota = Math.max(leastQuota, Math.round(this.#usage * part));
    clearInterval(this.#beat);
    await this.#say(quota);
    this.#beat = setInterval(() => void this.#say(quota).catch(() => undefined), (patience * 1000) / 4);
    return quota;
  }

  /** Resolves when the node says that nothing of it is left. Throws COMMAND_FAILED, or COMMAND_LOST. */
  async lift(): Promise<void> {
    clearInterval(this.#beat);
    this.process.stdin.end();
    const outcome = await this.process.outcome;
    this.#reader.close();
    if (outcome.kind !== "exited" || outcome.code !== 0) throw commandFailed(this.node, this.#argv, outcome);
  }

  async #say(quota: number): Promise<void> {
    this.process.stdin.write(`${quota}\n`);
    await this.#answer();
  }

  async #answer(): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(this.#silent()), answerMs);
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      if (done !== true) return value;
      throw commandFailed(this.node, this.#argv, await this.process.outcome);
    } finally {
      clearTimeout(timer);
    }
  }

  #silent(): FastmigError {
    return new FastmigError(`node ${this.node.name} did not answer that a service is throttled`, {
      code: "THROTTLE_SILENT",
      exit: exitCodes.unreachable,
    });
  }
}
