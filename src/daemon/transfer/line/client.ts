import { once } from "node:events";
import type { LineKey } from "../../api.js";
import { longestAnswer, type Answer } from "../exchange.js";
import { Frame, sendFrame, sendJson } from "./frames.js";
import { Intake, type Patience } from "./intake.js";
import { Seal } from "./seal.js";

/** Asked of the destination: a route below the migration's, and its JSON. */
export interface LineQuestion {
  route: string;
  body: unknown;
}

/**
 * The source's lines to one destination: each carries one bundle or question at a time; as many are open as are needed at
 * once.
 */
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
  send(parts: readonly Buffer[], signal: AbortSignal): Promise<Answer> {
    return this.#use(signal, (line) => line.send(parts, { silence: this.#silence, signal }));
  }

  /** As `send`; however long the answer takes. */
  ask(question: LineQuestion, signal: AbortSignal): Promise<Answer> {
    return this.#use(signal, (line) => line.ask(question, { signal }));
  }

  close(): void {
    for (const line of this.#open) line.close();
  }

  async #use(signal: AbortSignal, work: (line: Line) => Promise<Answer>): Promise<Answer> {
    const line = this.#idle.pop() ?? (await this.#begin(signal));
    try {
      const answer = await work(line);
      this.#idle.push(line);
      return answer;
    } catch (thrown) {
      // What broke it has broken the idle ones too: each would be found out by a wait of its own.
      for (const broken of [line, ...this.#idle.splice(0)]) this.#end(broken);
      throw thrown;
    }
  }

  #end(line: Line): void {
    this.#open.delete(line);
    line.close();
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
  readonly #ours: Seal;
  readonly #theirs: Seal;

  private constructor(intake: Intake, key: string) {
    this.#intake = intake;
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
    socket.on("timeout", () => socket.destroy(new Error(`silent for ${socket.timeout ?? 0} ms`)));
    socket.setTimeout(silence);
    try {
      await once(socket, "connect", { signal });
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
    socket.setTimeout(0);
    socket.write(Buffer.from(token, "hex"));
    return new Line(intake, key);
  }

  send(parts: readonly Buffer[], patience: Patience): Promise<Answer> {
    return this.#exchange(() => sendFrame(this.#intake.socket, this.#ours, parts), patience);
  }

  ask(question: LineQuestion, patience: Patience): Promise<Answer> {
    return this.#exchange(() => sendJson(this.#intake.socket, this.#ours, question), patience);
  }

  async #exchange(send: () => Promise<void>, { silence = 0, signal }: Patience): Promise<Answer> {
    const { socket } = this.#intake;
    const stop = (): void => void socket.destroy();
    signal?.addEventListener("abort", stop, { once: true });
    socket.setTimeout(silence);
    try {
      await send();
      return await this.#answer();
    } finally {
      socket.setTimeout(0);
      signal?.removeEventListener("abort", stop);
    }
  }

  async #answer(): Promise<Answer> {
    const frame = await Frame.next(this.#intake, this.#theirs);
    const { status, ...json } = (await frame.json(longestAnswer, {})) as { status: number };
    return { status, json };
  }

  close(): void {
    this.#intake.socket.destroy();
  }
}
