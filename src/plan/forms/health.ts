import { readHost, readArgument } from "./names.js";
import { readPort } from "./ports.js";

const node = "{node}";

/** An http or https address; `{node}` may stand where the host stands or later. */
export function readHealthUrl(text: string): string {
  knowOnlyNode(text);
  const url = URL.parse(text.replaceAll(node, "node"));
  if (url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/]/.test(text)) return text;
  throw new Error(`"${text}" is not an address like "http://{node}:8080/healthz"`);
}

/** `{node}:6379`, `host:6379` or `[::1]:6379`. */
export function readHealthTcp(text: string): { host: string; port: number } {
  knowOnlyNode(text);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):([^:]*)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined)
    throw new Error(`"${text}" is not a host and a port like "{node}:6379"`);
  return { host: host === node ? host : readHost(host), port: readPort(port) };
}

export function readHealthArgument(text: string): string {
  knowOnlyNode(text);
  return readArgument(text);
}

/** Braces around one word look like a placeholder; one that nobody fills in would reach the service's host as it is. */
function knowOnlyNode(text: string): void {
  const other = [...text.matchAll(/\{[A-Za-z]+\}/g)].map(String).find((word) => word !== node);
  if (other !== undefined) throw new Error(`"${text}" holds ${other}: only {node} is known here`);
}
