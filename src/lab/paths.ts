import { createHash } from "node:crypto";
import { userInfo } from "node:os";
import { join } from "node:path";
import { FastmigError, exitCodes } from "../errors.js";

/** Where a lab keeps its things. `id` is unique on this machine and names what is global: cgroups, the switch's port. */
export interface LabPaths {
  name: string;
  id: string;
  /** State directory: keys, ssh_config, the nodes' disks. */
  dir: string;
  /** Files that hold the network namespaces; gone after a reboot, as the namespaces are. */
  namespaces: string;
}

/** One directory for every lab that is up. */
export const labsDirectory = "/run/fastmig-lab";

type Env = Readonly<Record<string, string | undefined>>;

/** HOME may be unset (cron); the passwd file knows better than `/`. */
function home(env: Env): string {
  return env.HOME !== undefined && env.HOME !== "" ? env.HOME : userInfo().homedir;
}

function xdg(env: Env, name: string, fallback: string): string {
  const value = env[name];
  return value !== undefined && value.startsWith("/") ? value : join(home(env), fallback);
}

/** What is slow to make and the same for every lab: root file system, base image, built images. */
export function cacheDir(env: Env = process.env): string {
  return join(xdg(env, "XDG_CACHE_HOME", ".cache"), "fastmig/lab");
}

export function shortHash(text: string, length = 12): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

export function labPaths(name: string, env: Env = process.env): LabPaths {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new FastmigError(`"${name}" is no name for a lab: at most 20 of a-z, 0-9 and -, a letter first`, {
      code: "LAB_NAME",
      exit: exitCodes.usage,
    });
  }
  const dir = join(xdg(env, "XDG_STATE_HOME", ".local/state"), "fastmig/lab", name);
  const id = `${name}-${shortHash(dir, 6)}`;
  return { name, id, dir, namespaces: join(labsDirectory, id) };
}
