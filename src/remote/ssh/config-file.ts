import { readFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { SshRequest } from "./resolve.js";

/** What ssh fills in where nothing is configured, for machines without an ssh binary. */
const identityNames = ["id_rsa", "id_ecdsa", "id_ed25519"];

/** What a configuration file says of a host, as lines of `ssh -G`. A file that is not there says nothing. */
export async function readConfigFile(request: SshRequest, configFile: string | undefined): Promise<string[]> {
  const { default: SSHConfig } = await import("ssh-config");
  const text = await readOrEmpty(configFile ?? join(homedir(), ".ssh", "config"));
  const computed = SSHConfig.parse(text).compute(request.host);
  return linesOf(request, computed);
}

export function linesOf(request: SshRequest, computed: Record<string, string | string[]>): string[] {
  const lines = Object.entries(computed).flatMap(([key, value]) =>
    linesFor(key.toLowerCase(), [value].flat()),
  );
  const asked = [
    ...(request.user === null ? [] : [`user ${request.user}`]),
    ...(request.port === null ? [] : [`port ${request.port}`]),
  ];
  // The first line of a key counts: what was asked for, then the file, then the defaults.
  return [...asked, ...lines, ...defaults(lines)];
}

const listed = ["userknownhostsfile", "globalknownhostsfile"];

function linesFor(key: string, values: string[]): string[] {
  return listed.includes(key) ? [`${key} ${values.join(" ")}`] : values.map((value) => `${key} ${value}`);
}

function defaults(lines: string[]): string[] {
  const written = lines.some((line) => line.startsWith("identityfile "));
  return [
    `user ${userInfo().username}`,
    "userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2",
    "globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
    ...(written ? [] : identityNames.map((name) => `identityfile ~/.ssh/${name}`)),
  ];
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}
