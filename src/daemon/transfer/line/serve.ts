import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import type { LineKey } from "../../api.js";
import { HttpError, errorBody, refusalOf } from "../../refusals.js";
import type { AnswerJson } from "../../router.js";
import type { Fill } from "../take-body.js";
import { Frame, sendJson } from "./frames.js";
import type { Intake } from "./intake.js";
import { keySize, Seal } from "./seal.js";

/** Takes one bundle of segments, proven by its seal. Rejects with an HttpError where the sender is to blame. */
export type TakeBundle = (fill: Fill) => Promise<void>;

/** Bytes. */
export const longestQuestion = 64 * 1024;

const Question = z.object({ route: z.string(), body: z.unknown() });

/** Bytes of a token, with which a line begins. */
export const tokenSize = 16;
/** Milliseconds from a key's issue to its line, and from a line's first byte to the end of its token. */
const patience = 5000;
/** Keys that were issued and not used: no source asks for more. */
const mostIssued = 16;

/** Its first byte tells it from a TLS handshake. */
function newToken(): string {
  const token = randomBytes(tokenSize);
  token[0] = 0;
  return token.toString("hex");
}

/** The destination's end of lines: connections that carry segments and questions. Begun with a token, sealed with its key. */
export class Lines {
  readonly #take: TakeBundle;
  readonly #answerJson: AnswerJson;
  readonly #issued = new Map<string, string>();

  /** @param answerJson gets a route's last word for its path. */
  constructor(take: TakeBundle, answerJson: AnswerJson) {
    this.#take = take;
    this.#answerJson = answerJson;
  }

  /** For one line, to be begun soon. It has to reach the source by a way that nobody else hears. */
  issue(): LineKey {
    if (this.#issued.size >= mostIssued) throw new HttpError(409, "LINES", "too many lines were asked for");
    const [token, key] = [newToken(), randomBytes(keySize).toString("hex")];
    this.#issued.set(token, key);
    setTimeout(() => this.#issued.delete(token), patience).unref();
    return { token, key };
  }

  /** Serves a connection until it ends, and destroys it then: whoever has no token, or a wrong one, gets no answer. */
  async serve(intake: Intake): Promise<void> {
    try {
      const token = (await intake.exactly(tokenSize, { silence: patience })).toString("hex");
      const key = this.#issued.get(token);
      this.#issued.delete(token);
      if (key !== undefined) await this.#answerAll(intake, key);
    } catch {
      // It broke, or was not sealed with that key: the source sees it end, and begins another.
    } finally {
      intake.socket.destroy();
    }
  }

  async #answerAll(intake: Intake, key: string): Promise<never> {
    const [theirs, ours] = [new Seal(key, "source"), new Seal(key, "destination")];
    for (;;) {
      const frame = await Frame.next(intake, theirs);
      await sendJson(intake.socket, ours, await (frame.isJson ? this.#tell(frame) : this.#keep(frame)));
    }
  }

  async #tell(frame: Frame): Promise<object> {
    const { route, body } = Question.parse(await frame.json(longestQuestion, { silence: patience }));
    const { status, json } = await this.#answerJson(route, body);
    return { status, ...(json as object) };
  }

  async #keep(frame: Frame): Promise<object> {
    try {
      await this.#take((into, silence, signal) => frame.into(into, { silence, signal }));
      return { status: 200 };
    } catch (thrown) {
      if (frame.broken) throw thrown;
      await frame.skip({ silence: patience });
      const refusal = refusalOf(thrown);
      return { status: refusal.status, ...errorBody(refusal) };
    }
  }
}
