import { FastmigError, exitCodes, messageOf } from "../errors.js";

/** No connection to a Unix socket on a node: it is not there, or nobody listens, or the node does not forward to it. */
export function socketRefused(node: string, socketPath: string, cause: unknown): FastmigError {
  return new FastmigError(`node ${node} gives no connection to ${socketPath}: ${messageOf(cause)}`, {
    code: "SOCKET_REFUSED",
    exit: exitCodes.unreachable,
    cause,
  });
}
