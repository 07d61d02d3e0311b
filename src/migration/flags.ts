import { Flags } from "@oclif/core";
import { exitCodes, FastmigError, messageOf } from "../errors.js";
import type { MigrateOptions } from "./context.js";
import { migrationsDirectory } from "./state-home.js";

/** How nodes are reached: the flags of every command that connects. */
export const connectFlags = {
  "ssh-config": Flags.string({
    description: "an SSH configuration instead of ~/.ssh/config",
    env: "FASTMIG_SSH_CONFIG",
    helpValue: "FILE",
  }),
  "accept-new": Flags.boolean({ description: "take and remember the host key of a host that nobody knows" }),
};

export const clockFlag = {
  "allow-clock-jump": Flags.boolean({
    description:
      "migrate although the destination has been up for less time than the source, and a process goes by its host's clocks",
  }),
};

export const serviceFlag = {
  service: Flags.string({
    char: "s",
    description: "only this service's migration; may be given several times",
    multiple: true,
    default: [],
  }),
};

export const unhealthyFlag = {
  "accept-unhealthy": Flags.boolean({
    description: "confirm and clean up although the destination is not healthy",
  }),
};

/** What a flag's text says, more than 0. Throws BAD_FLAG (exit 2). */
export function readFlag(flag: string, text: string, parse: (text: string) => number): number {
  try {
    const value = parse(text);
    if (value > 0) return value;
    throw new Error(`"${text}" is nothing: it has to be more than 0`);
  } catch (thrown) {
    throw new FastmigError(`${flag}: ${messageOf(thrown)}`, { code: "BAD_FLAG", exit: exitCodes.usage });
  }
}

interface ConnectFlags {
  "ssh-config"?: string | undefined;
  "accept-new": boolean;
}

export function connectOptions(
  flags: ConnectFlags,
  signal?: AbortSignal,
): { sshConfig: string | undefined; acceptNew: boolean; signal: AbortSignal | undefined } {
  return { sshConfig: flags["ssh-config"], acceptNew: flags["accept-new"], signal };
}

export function migrateOptions(
  flags: ConnectFlags & { "allow-clock-jump"?: boolean; "accept-unhealthy"?: boolean },
  version: string,
): MigrateOptions {
  return {
    allowClockJump: flags["allow-clock-jump"] ?? false,
    acceptUnhealthy: flags["accept-unhealthy"] ?? false,
    sshConfig: flags["ssh-config"] ?? null,
    journals: migrationsDirectory(),
    version,
  };
}
