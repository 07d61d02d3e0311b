import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type * as z from "zod/mini";
import { messageOf } from "../errors.js";
import type { Log } from "./log.js";
import { BadRequest, errorBody, HttpError, NotFound, refusalOf } from "./refusals.js";

/** A request as a handler sees it: path parameters by name, query and body checked by the route's schemas. */
export interface Asked<B, Q> {
  params: Record<string, string>;
  query: Q;
  body: B;
  /** For bodies that are no JSON: the route has no schema and reads it itself. Undefined where it was not asked over HTTP. */
  request: IncomingMessage | undefined;
}

export interface Route {
  method: "GET" | "POST" | "PUT";
  /** `/migrations/{id}/abort` */
  path: string;
  summary: string;
  query?: z.ZodMiniType;
  request?: z.ZodMiniType;
  /** The body is bytes that the handler reads. */
  raw?: boolean;
  response: z.ZodMiniType;
  status: number;
  handle(asked: Asked<unknown, unknown>): Promise<unknown>;
}

/** A route whose handler gets query and body of the schemas' types. */
export function route<B, Q = unknown>(
  parts: Omit<Route, "query" | "request" | "handle" | "status"> & {
    query?: z.ZodMiniType<Q>;
    request?: z.ZodMiniType<B>;
    status?: number;
    handle(asked: Asked<B, Q>): Promise<unknown>;
  },
): Route {
  const { handle, ...rest } = parts;
  return { status: 200, ...rest, handle: (asked) => handle(asked as Asked<B, Q>) };
}

/** An answer that is no JSON. */
export class PlainText {
  constructor(readonly text: string) {}
}

/** Bytes of a JSON body at most: the list of a large image's segments is the longest. */
const longestBody = 64 * 1024 * 1024;

/** Answers a POST of JSON that came another way than by HTTP; never rejects. */
export type AnswerJson = (path: string, json: unknown) => Promise<{ status: number; json: unknown }>;

/** The same routes, both ways. */
export interface Answers {
  http: RequestListener;
  json: AnswerJson;
}

export function answersOf(routes: readonly Route[], log: Log): Answers {
  return { http: serve(routes, log), json: answerJson(routes, log) };
}

export function serve(routes: readonly Route[], log: Log): RequestListener {
  return (request, response) => {
    answer(routes, request).then(
      ({ status, json }) => send(response, status, json),
      (thrown: unknown) => refuse(request, response, thrown, log),
    );
  };
}

function answerJson(routes: readonly Route[], log: Log): AnswerJson {
  return async (path, json) => {
    try {
      return await handle(routes, { method: "POST", path, json: async () => json });
    } catch (thrown) {
      const refusal = logged(thrown, log, { method: "POST", url: path });
      return { status: refusal.status, json: errorBody(refusal) };
    }
  };
}

function answer(routes: readonly Route[], request: IncomingMessage): ReturnType<AnswerJson> {
  const { pathname: path, searchParams } = new URL(request.url ?? "/", "http://daemon");
  const { method = "GET" } = request;
  return handle(routes, { method, path, query: searchParams, json: () => readJson(request), request });
}

interface Question {
  method: string;
  path: string;
  query?: URLSearchParams;
  /** Read only where the route has a schema for it. */
  json: () => Promise<unknown>;
  request?: IncomingMessage;
}

async function handle(
  routes: readonly Route[],
  { method, path, query: words, json, request }: Question,
): ReturnType<AnswerJson> {
  const { found, params } = find(routes, method, path);
  const query = found.query && checked(found.query, Object.fromEntries(words ?? []));
  const body = found.request && checked(found.request, await json());
  return { status: found.status, json: await found.handle({ params, query, body, request }) };
}

function find(
  routes: readonly Route[],
  method: string,
  path: string,
): { found: Route; params: Record<string, string> } {
  const matches = routes.flatMap((candidate) => {
    const params = match(candidate.path, path);
    return params === undefined ? [] : [{ found: candidate, params }];
  });
  if (matches.length === 0) throw new NotFound(`nothing is at ${path}`);
  const exact = matches.find(({ found }) => found.method === method);
  if (exact === undefined)
    throw new HttpError(
      405,
      "METHOD",
      `${path} takes ${matches.map(({ found }) => found.method).join(", ")}`,
    );
  return exact;
}

/** The parameters, or undefined where the path is another one. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined && part !== value) return undefined;
    if (name !== undefined) params[name] = value;
  }
  return params;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw new HttpError(413, "TOO_LONG", `a body has at most ${longestBody} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (thrown) {
    throw new BadRequest(`the body is no JSON: ${messageOf(thrown)}`);
  }
}

function checked(schema: z.ZodMiniType, body: unknown): unknown {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
  throw new BadRequest("the request does not fit the schema", problems);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const [text, type] =
    body instanceof PlainText
      ? [body.text, "text/plain; version=0.0.4; charset=utf-8"]
      : [JSON.stringify(body), "application/json"];
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown, log: Log): void {
  const refusal = logged(thrown, log, { method: request.method, url: request.url });
  // What was not read of the body would be taken for the next request.
  if (!request.complete) response.setHeader("connection", "close");
  send(response, refusal.status, errorBody(refusal));
}

/** What it is to whoever asked; what nobody meant is for the log too. */
function logged(thrown: unknown, log: Log, asked: { method?: string; url?: string }): HttpError {
  if (!(thrown instanceof HttpError))
    log.error("a request failed", { ...asked, stack: thrown instanceof Error ? thrown.stack : thrown });
  return refusalOf(thrown);
}
