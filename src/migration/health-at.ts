import { isIP } from "node:net";
import { assertNever } from "../errors.js";
import type { Health } from "../plan/plan.js";

/** The same check with a node's address in place of `{node}`; in a URL an IPv6 address stands in brackets. */
export function healthAt(health: Health, address: string): Health {
  switch (health.kind) {
    case "http":
      return {
        ...health,
        url: health.url.replaceAll("{node}", () => (isIP(address) === 6 ? `[${address}]` : address)),
      };
    case "tcp":
      return { ...health, host: health.host.replaceAll("{node}", () => address) };
    case "exec":
      return { ...health, command: health.command.map((word) => word.replaceAll("{node}", () => address)) };
    default:
      return assertNever(health);
  }
}
