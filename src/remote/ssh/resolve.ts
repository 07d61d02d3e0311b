import { homedir } from "node:os";
import { FastmigError, exitCodes } from "../../errors.js";
import { readConfigFile } from "./config-file.js";
import { targetOf } from "./resolved.js";
import type { SshTarget } from "./target.js";

export interface SshRequest {
  /** A host name, an address or an alias. */
  host: string;
  /** Null: what the configuration says. */
  user: string | null;
  port: number | null;
}

/**
 * Asks `ssh -G` for everything that ~/.ssh/config and /etc/ssh/ssh_config say of a host. Where there is no ssh binary
 * the file is read by ourselves, without Match. `configFile` stands for both files, as `ssh -F` has it.
 * Throws SSH_CONFIG when ssh refuses the configuration.
 */
export async function resolveTarget(request: SshRequest, configFile: string | undefined): Promise<SshTarget> {
  const settings = (await askSsh(request, configFile)) ?? (await readConfigFile(request, configFile));
  return targetOf(request.host, settings, { home: homedir(), agent: process.env["SSH_AUTH_SOCK"] });
}

/** `key value` lines; undefined where there is no ssh. */
async function askSsh(request: SshRequest, configFile: string | undefined): Promise<string[] | undefined> {
  const { execa } = await import("execa");
  const argv = sshArgv(request, configFile);
  const result = await execa("ssh", argv, { reject: false, stdin: "ignore" });
  if (result.exitCode === 0) return result.stdout.split("\n");
  if (result.code === "ENOENT") return undefined;
  throw new FastmigError(`ssh does not take its configuration for ${request.host}`, {
    code: "SSH_CONFIG",
    exit: exitCodes.unreachable,
    hint: `see: ssh ${argv.join(" ")}`,
    details: result.stderr.split("\n"),
  });
}

export function sshArgv(request: SshRequest, configFile: string | undefined): string[] {
  const from = configFile === undefined ? [] : ["-F", configFile];
  const user = request.user === null ? [] : ["-l", request.user];
  const port = request.port === null ? [] : ["-p", String(request.port)];
  return ["-G", ...from, ...user, ...port, "--", request.host];
}
