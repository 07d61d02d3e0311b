import { createHash } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { text as textOf } from "node:stream/consumers";
import { pause } from "../../wait.js";

/** How often a request may fail before the next byte is taken. */
const attempts = 5;
/** Milliseconds that the store has for a request. */
const patience = 60_000;

/** What the store answers on the last request. */
interface Stored {
  md5Hash?: string;
}

/**
 * An object that goes to Google's store in several requests, each of which can be taken up where it broke off. The SDK's own
 * uploader copies what it sends twice, and says of an empty object what the store does not understand.
 * https://docs.cloud.google.com/storage/docs/performing-resumable-uploads
 */
export class ResumableUpload {
  readonly #session: string;
  readonly #signal: AbortSignal;
  readonly #digest = createHash("md5");
  /** Bytes that the store has. */
  #at = 0;
  #stored: Stored | undefined;

  /** @param session its URL, by which alone the store knows us. */
  constructor(session: string, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  /** @param bytes a multiple of 256 KiB, where more come. */
  async send(bytes: Buffer): Promise<void> {
    this.#digest.update(bytes);
    await this.#sendAs(bytes, "*");
  }

  /** With what was left of it. Rejects where the store has something else than what was sent. */
  async finish(bytes: Buffer): Promise<void> {
    this.#digest.update(bytes);
    await this.#sendAs(bytes, this.#at + bytes.length);
    if (this.#stored?.md5Hash !== this.#digest.digest("base64"))
      throw new Error("the store has something else than what was sent");
  }

  async #sendAs(bytes: Buffer, total: number | "*"): Promise<void> {
    const start = this.#at;
    const end = start + bytes.length;
    const isDone = (): boolean => (total === "*" ? this.#at === end : this.#stored !== undefined);
    for (let failed = 0; !isDone();) {
      const before = this.#at;
      try {
        if (failed > 0) await this.#put(Buffer.alloc(0), "bytes */*");
        if (isDone()) return;
        const rest = bytes.subarray(this.#at - start);
        const span = rest.length === 0 ? "*" : `${this.#at}-${end - 1}`;
        await this.#put(rest, `bytes ${span}/${total}`);
      } catch (thrown) {
        if (failed === attempts || thrown instanceof Refused || this.#signal.aborted) throw thrown;
        await pause(250 * 2 ** failed, this.#signal);
      }
      failed = this.#at > before ? 0 : failed + 1;
      if (failed > attempts) throw new Error("the store takes no more");
    }
  }

  async #put(body: Buffer, range: string): Promise<void> {
    const { status, range: has, text } = await put(this.#session, body, range, this.#signal);
    if (status === 200 || status === 201) this.#stored = JSON.parse(text) as Stored;
    else if (status === 308) this.#at = taken(has);
    else if (status >= 500 || status === 429 || status === 408)
      throw new Error(`the store answers ${status}`);
    else throw new Refused(`the store answers ${status}: ${text.slice(0, 200)}`);
  }
}

interface Answer {
  status: number;
  range: string | undefined;
  text: string;
}

/** By Node's own client: `fetch` copies each body, and the copies pile up beside a frozen service. */
async function put(url: string, body: Buffer, range: string, signal: AbortSignal): Promise<Answer> {
  const { request } = url.startsWith("https:") ? https : http;
  const headers = { "Content-Range": range, "Content-Length": body.length };
  const asked = request(url, { method: "PUT", headers, signal, timeout: patience });
  asked.on("timeout", () => asked.destroy(new Error("the store does not answer")));
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [http.IncomingMessage];
  return { status: answer.statusCode ?? 0, range: answer.headers.range, text: await textOf(answer) };
}

/** What asking again would not change. */
class Refused extends Error {}

/** Bytes that the store has, as it says it. */
function taken(range: string | undefined): number {
  const last = /^bytes=0-(\d+)$/.exec(range ?? "")?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
