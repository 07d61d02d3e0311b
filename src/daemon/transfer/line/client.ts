import { once } from "node:events";
import type { LineKey } from "../../api.js";
import type { Answer } from "../exchange.js";
import { Frame, sendFrame } from "./frames.js";
import { Intake } from "./intake.js";
import { Seal } from "./seal.js";

/** Bytes of an answer at most: a refusal's text. */
const longestAnswer = 64 * 1024;

/** The source's lines to one destination: each carries one bundle at a time; as many are open as are needed at once. */
export class LinePool {
  readonly #peer: { host: string; port: number };
  readonly #silence: number;
  readonly #issue: (signal: AbortSignal) => Promise<LineKey>;
  readonly #idle: Line[] = [];
  readonly #open = new Set<Line>();

  /** @param silence milliseconds without a byte after which a line counts as lost. */
  constructor(
    peer: { host: string; port: number },
    silence: number,
    issue: (signal: AbortSignal) => Promise<LineKey>,
  ) {
    this.#peer = peer;
    this.#silence = silence;
    this.#issue = issue;
  }

  /** Sends a bundle, in parts. Rejects where the line is lost or the signal aborts; whether it arrived is then unknown. */
  async ask(parts: readonly Buffer[], signal: AbortSignal): Promise<Answer> {
    const line = this.#idle.pop() ?? (await this.#begin(signal));
    try {
      const answer = await line.ask(parts, signal);
      this.#idle.push(line);
      return answer;
    } catch (thrown) {
      this.#open.delete(line);
      line.close();
      throw thrown;
    }
  }

  close(): void {
    for (const line of this.#open) line.close();
  }

  async #begin(signal: AbortSignal): Promise<Line> {
    const issued = await this.#issue(signal);
    const line = await Line.begin(this.#peer, issued, { silence: this.#silence, signal });
    this.#open.add(line);
    return line;
  }
}

class Line {
  readonly #intake: Intake;
  readonly #silence: number;
  readonly #ours: Seal;
  readonly #theirs: Seal;

  private constructor(intake: Intake, key: string, silence: number) {
    this.#intake = intake;
    this.#silence = silence;
    this.#ours = new Seal(key, "source");
    this.#theirs = new Seal(key, "destination");
  }

  static async begin(
    peer: { host: string; port: number },
    { token, key }: LineKey,
    { silence, signal }: { silence: number; signal: AbortSignal },
  ): Promise<Line> {
    const intake = Intake.connect(peer);
    const { socket } = intake;
    socket.on("timeout", () => socket.destroy(new Error(`silent for ${silence} ms`))).setTimeout(silence);
    try {
      await once(socket, "connect", { signal });
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
    socket.setTimeout(0);
    socket.write(Buffer.from(token, "hex"));
    return new Line(intake, key, silence);
  }

  async ask(parts: readonly Buffer[], signal: AbortSignal): Promise<Answer> {
    const { socket } = this.#intake;
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    socket.setTimeout(this.#silence);
    try {
      await sendFrame(socket, this.#ours, parts);
      return await this.#answer();
    } finally {
      socket.setTimeout(0);
      signal.removeEventListener("abort", stop);
    }
  }

  async #answer(): Promise<Answer> {
    const frame = await Frame.next(this.#intake, this.#theirs);
    const text = Buffer.alloc(longestAnswer);
    const length = await frame.into(text, {});
    const { status, ...json } = JSON.parse(text.toString("utf8", 0, length)) as { status: number };
    return { status, json };
  }

  close(): void {
    this.#intake.socket.destroy();
  }
}
