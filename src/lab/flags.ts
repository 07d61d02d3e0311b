import { Flags } from "@oclif/core";
import { FastmigError, exitCodes, messageOf } from "../errors.js";
import { parseDuration, parseRate, parseSize } from "../units.js";

/** `--name`, of every lab command. */
export const labName = Flags.string({ summary: "which lab", default: "lab", helpValue: "NAME" });

/** Bytes per second; null for `none`; undefined where the flag was not given. */
export function parseRateFlag(text: string | undefined): number | null | undefined {
  if (text === undefined || text === "none") return text === "none" ? null : undefined;
  return parsed("--rate", () => parseRate(text), { code: "LAB_RATE", hint: "or none" });
}

/** Bytes; undefined where the flag was not given. */
export function parseMemoryFlag(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parsed("--memory", () => parseSize(text), { code: "LAB_MEMORY" });
}

/** Milliseconds; undefined where the flag was not given. */
export function parseUptimeFlag(text: string | undefined): number | undefined {
  return text === undefined
    ? undefined
    : parsed("--uptime", () => parseDuration(text), { code: "LAB_UPTIME" });
}

function parsed(flag: string, parse: () => number, refusal: { code: string; hint?: string }): number {
  try {
    return parse();
  } catch (thrown) {
    throw new FastmigError(`${flag}: ${messageOf(thrown)}`, { ...refusal, exit: exitCodes.usage });
  }
}
