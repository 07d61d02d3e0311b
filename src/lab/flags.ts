import { Flags } from "@oclif/core";
import { FastmigError, exitCodes, messageOf } from "../errors.js";
import { parseRate } from "../units.js";

/** `--name`, of every lab command. */
export const labName = Flags.string({ summary: "which lab", default: "lab", helpValue: "NAME" });

/** Bytes per second; null for `none`; undefined where the flag was not given. */
export function parseRateFlag(text: string | undefined): number | null | undefined {
  if (text === undefined || text === "none") return text === "none" ? null : undefined;
  try {
    return parseRate(text);
  } catch (thrown) {
    throw new FastmigError(`--rate: ${messageOf(thrown)}`, {
      code: "LAB_RATE",
      exit: exitCodes.usage,
      hint: "or none",
    });
  }
}
