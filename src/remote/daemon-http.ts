import type { Agent } from "undici";
import { answerLost, daemonLate, noConnection } from "./daemon-errors.js";
import type { Asked } from "./daemon-errors.js";
import type { Node } from "./node.js";
import { FastmigError } from "../errors.js";

export interface AskOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds until the whole answer must be there. */
  timeout?: number;
}

export interface HttpRequest {
  method: "GET" | "POST";
  path: string;
  body?: unknown;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

/** Connections at once to one daemon. */
const connections = 4;

/**
 * The pools of connections, one per node and socket, however many clients ask for it. They end with the node's own connection,
 * and hold nothing open that the node does not.
 */
const pools = new WeakMap<Node, Map<string, Promise<Agent>>>();

function poolOf(node: Node, socket: string): Promise<Agent> {
  const ofNode = pools.get(node) ?? new Map<string, Promise<Agent>>();
  pools.set(node, ofNode);
  const pool = ofNode.get(socket) ?? makePool(node, socket);
  ofNode.set(socket, pool);
  return pool;
}

async function makePool(node: Node, socket: string): Promise<Agent> {
  const { Agent } = await import("undici");
  return new Agent({
    connections,
    // The timeout is the whole request's, by signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_options, done) => {
      node.connect(socket).then(
        (stream) => done(null, stream as never),
        (thrown: Error) => done(thrown, null),
      );
    },
  });
}

/** One request to the daemon on a node's socket. Throws FastmigErrors, and the signal's reason when aborted. */
export async function ask(
  node: Node,
  socket: string,
  request: HttpRequest,
  { signal, timeout = 15_000 }: AskOptions,
): Promise<HttpAnswer> {
  signal?.throwIfAborted();
  const late = AbortSignal.timeout(timeout);
  const asked: Asked = { node, socket, what: `${request.method} ${request.path}` };
  try {
    return await exchange(
      await poolOf(node, socket),
      request,
      signal ? AbortSignal.any([late, signal]) : late,
    );
  } catch (thrown) {
    signal?.throwIfAborted();
    if (late.aborted) throw daemonLate(asked, timeout);
    if (thrown instanceof FastmigError) throw await noConnection(asked, thrown);
    throw answerLost(asked, thrown);
  }
}

async function exchange(
  pool: Agent,
  { method, path, body }: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const answer = await pool.request({
    origin: "http://daemon",
    method,
    path,
    signal,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}
