import { isIP } from "node:net";
import type { PortRange, PublishedPort } from "../plan.js";

const publishForm =
  'a published port: "8080:80", "127.0.0.1:8080:80" or "[::1]:8080:80", with /udp where it is not tcp';
const published = /^(?:(\[[0-9a-fA-F:.]+\]|[0-9.]+):)?([0-9]+):([0-9]+)(?:\/(tcp|udp))?$/;

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** The digits of a port, 1 to 65535. */
export function readPort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && isPort(port)) return port;
  throw new Error(`"${text}" is not a port: 1 to 65535`);
}

/** `"7900-7919"`, `"7900"` or `7900`. */
export function readPortRange(written: string | number): PortRange {
  const [first = "", last = first, ...more] = String(written).split("-");
  if (more.length > 0 || first === "")
    throw new Error(`"${written}" is not a range of ports: "7900-7919", or one port`);
  const range = { first: readPort(first), last: readPort(last) };
  if (range.first > range.last)
    throw new Error(`"${written}" is not a range of ports: the first is higher than the last`);
  return range;
}

/** `[address:]port of the node:port of the container[/tcp|/udp]`. */
export function readPublish(text: string): PublishedPort {
  const [, address, host, container, protocol] = published.exec(text) ?? [];
  const ip = address?.replace(/^\[|\]$/g, "") ?? null;
  if (host === undefined || container === undefined || (ip !== null && isIP(ip) === 0))
    throw new Error(`"${text}" is not ${publishForm}`);
  return {
    ip,
    hostPort: readPort(host),
    containerPort: readPort(container),
    protocol: protocol === "udp" ? "udp" : "tcp",
  };
}

/** What `readPublish` reads again, and what a container engine's `--publish` takes. */
export function formatPublish(port: PublishedPort): string {
  const address = port.ip === null ? "" : `${isIP(port.ip) === 6 ? `[${port.ip}]` : port.ip}:`;
  return `${address}${port.hostPort}:${port.containerPort}/${port.protocol}`;
}
