import { userInfo } from "node:os";
import { FastmigError, exitCodes } from "../../errors.js";
import type { Jump, SshTarget } from "./target.js";

export interface Surroundings {
  home: string;
  /** SSH_AUTH_SOCK. */
  agent: string | undefined;
}

/** Milliseconds until a connection attempt is given up where the configuration names no ConnectTimeout. */
const defaultTimeout = 15_000;

/** The target that lines of `ssh -G` (`key value`, keys in lower case) describe. */
export function targetOf(asked: string, lines: readonly string[], around: Surroundings): SshTarget {
  const settings = new Settings(lines);
  const hostName = settings.one("hostname") ?? asked;
  const user = settings.one("user") ?? "root";
  const port = Number(settings.one("port") ?? 22);
  const expand = (path: string): string =>
    expandPath(path, { home: around.home, hostName, user, port: String(port), asked });
  return {
    asked,
    hostName,
    port,
    user,
    identityFiles: settings.all("identityfile").map(expand),
    identitiesOnly: settings.yes("identitiesonly"),
    agent: agentOf(settings.one("identityagent"), around.agent, expand),
    jumps: parseJumps(settings.one("proxyjump")),
    proxyCommand: unlessNone(settings.one("proxycommand")),
    userKnownHosts: settings.words("userknownhostsfile").map(expand),
    globalKnownHosts: settings.words("globalknownhostsfile").map(expand),
    hostKeyAlias: unlessNone(settings.one("hostkeyalias")),
    acceptNew: ["accept-new", "no", "off", "false"].includes(settings.one("stricthostkeychecking") ?? "ask"),
    hashKnownHosts: settings.yes("hashknownhosts"),
    connectTimeout: Number(settings.one("connecttimeout")) * 1000 || defaultTimeout,
    family: families[settings.one("addressfamily") ?? "any"] ?? 0,
  };
}

const families: Record<string, 4 | 6> = { inet: 4, inet6: 6 };

class Settings {
  readonly #lines: (readonly [string, string])[];

  constructor(lines: readonly string[]) {
    this.#lines = lines.map((line) => {
      const space = line.indexOf(" ");
      return [line.slice(0, space).toLowerCase(), line.slice(space + 1).trim()];
    });
  }

  all(key: string): string[] {
    return this.#lines
      .filter(([name, value]) => name === key && value !== "none")
      .map(([, value]) => unquote(value));
  }

  one(key: string): string | undefined {
    const found = this.#lines.find(([name]) => name === key)?.[1];
    return found === undefined ? undefined : unquote(found);
  }

  words(key: string): string[] {
    const value = this.#lines.find(([name]) => name === key)?.[1] ?? "";
    return (value.match(/"[^"]*"|\S+/g) ?? []).map(unquote).filter((word) => word !== "none");
  }

  yes(key: string): boolean {
    return ["yes", "true"].includes(this.one(key) ?? "no");
  }
}

function unquote(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1) : value;
}

function unlessNone(value: string | undefined): string | null {
  return value === undefined || value === "none" ? null : value;
}

/** IdentityAgent: a path, `none`, `SSH_AUTH_SOCK` or `$VARIABLE`. */
function agentOf(
  setting: string | undefined,
  surrounding: string | undefined,
  expand: (path: string) => string,
): string | null {
  if (setting === "none") return null;
  if (setting === undefined || setting === "SSH_AUTH_SOCK") return surrounding || null;
  if (setting.startsWith("$")) return process.env[setting.replace(/^\$\{?(.*?)\}?$/, "$1")] || null;
  return expand(setting);
}

/** `[user@]host[:port]`, `ssh://…`, several with commas; first hop first. Throws SSH_CONFIG on anything else. */
export function parseJumps(setting: string | undefined): Jump[] {
  if (setting === undefined || setting === "none") return [];
  return setting.split(",").map(parseJump);
}

function parseJump(written: string): Jump {
  const match =
    /^(?:ssh:\/\/)?(?:(?<user>.+)@)?(?:\[(?<v6>[^\]]+)\]|(?<host>[^:@[\]]+))(?::(?<port>\d+))?\/?$/.exec(
      written.trim(),
    );
  const { user, v6, host, port } = match?.groups ?? {};
  const name = v6 ?? host;
  if (name === undefined) {
    throw new FastmigError(`ProxyJump: ${written} is no [user@]host[:port]`, {
      code: "SSH_CONFIG",
      exit: exitCodes.unreachable,
    });
  }
  return { host: name, user: user ?? null, port: port === undefined ? null : Number(port) };
}

interface Tokens {
  home: string;
  hostName: string;
  user: string;
  port: string;
  asked: string;
}

/** `~` and the percent tokens of ssh_config(5) that can stand in a path. */
export function expandPath(path: string, tokens: Tokens): string {
  const values: Record<string, string> = {
    "%": "%",
    d: tokens.home,
    h: tokens.hostName,
    n: tokens.asked,
    p: tokens.port,
    r: tokens.user,
    u: userInfo().username,
  };
  const filled = path.replace(/%(.)/g, (whole, token: string) => values[token] ?? whole);
  return filled.replace(/^~(?=\/|$)/, tokens.home);
}
