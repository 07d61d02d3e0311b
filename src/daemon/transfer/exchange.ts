import { request as plainRequest, type Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { request as secureRequest } from "node:https";
import { ErrorBody } from "../api.js";
import { messageOf } from "../../errors.js";
import { TransferError } from "./errors.js";

export interface Target {
  agent: Agent;
  where: { socketPath: string } | { host: string; port: number };
  secure: boolean;
}

export interface Question {
  method: "GET" | "PUT" | "POST";
  path: string;
  signal: AbortSignal;
  json?: unknown;
  bytes?: readonly Buffer[];
  /** Milliseconds without a byte either way after which the answer counts as lost; none: only the signal ends it. */
  silence?: number;
}

export interface Answer {
  status: number;
  json: unknown;
}

/** No answer is longer: the list of 100 GB of segments has 4 MB. */
export const longestAnswer = 16 * 1024 * 1024;

/** One HTTP exchange. Rejects with a TransferError, or with the signal's reason. */
export async function exchange(target: Target, question: Question): Promise<Answer> {
  const what = `${question.method} ${question.path.split("?")[0]}`;
  return asked(what, question.signal, async () => {
    const { status, text } = await roundTrip(target, question);
    return { status, json: parse(text) };
  });
}

/** Judges an answer, however it comes. Rejects with a TransferError that names `what` was asked, or with the signal's reason. */
export async function asked(what: string, signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
  signal.throwIfAborted();
  try {
    return accepted(await ask());
  } catch (thrown) {
    signal.throwIfAborted();
    throw named(what, thrown);
  }
}

function roundTrip(target: Target, question: Question): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = open(target, question);
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error(`silent for ${question.silence} ms`)));
    sent.on("response", (response: IncomingMessage) => {
      read(response).then((text) => {
        const status = response.statusCode ?? 0;
        // What is left of the body is not worth the way.
        if (status >= 400 && !sent.writableFinished) sent.destroy();
        resolve({ status, text });
      }, reject);
    });
  });
}

function open(target: Target, { method, path, signal, json, bytes, silence }: Question): ClientRequest {
  const body = json === undefined ? bytes : [Buffer.from(JSON.stringify(json))];
  const options = { ...target.where, agent: target.agent, method, path, signal, timeout: silence };
  const headers = body === undefined ? {} : bodyHeaders(body, json === undefined);
  const sent = (target.secure ? secureRequest : plainRequest)({ ...options, headers });
  for (const part of body ?? []) sent.write(part);
  return sent.end();
}

function bodyHeaders(body: readonly Buffer[], raw: boolean): Record<string, string | number> {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  return { "content-type": raw ? "application/octet-stream" : "application/json", "content-length": length };
}

async function read(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > longestAnswer) throw new Error(`the answer is longer than ${longestAnswer} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parse(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch (cause) {
    throw new Error(`the answer is no JSON: ${text.slice(0, 100)}`, { cause });
  }
}

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody["error"],
  ) {
    super(body.message);
  }
}

function accepted(answer: Answer): Answer {
  const { status, json } = answer;
  if (status >= 200 && status < 300) return answer;
  const body = ErrorBody.safeParse(json);
  throw new Refused(status, body.success ? body.data.error : { code: "UNKNOWN", message: "no reason given" });
}

function named(what: string, thrown: unknown): TransferError {
  if (!(thrown instanceof Refused))
    return new TransferError(what, { kind: "lost", reason: messageOf(thrown) }, thrown);
  const { code, message } = thrown.body;
  return new TransferError(what, { kind: "refused", status: thrown.status, code, message });
}
