import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { FastmigError, exitCodes } from "../errors.js";

/** What the lab runs on this machine, and Debian's package of each. */
const tools: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  ip: "iproute2",
  tc: "iproute2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  nsenter: "util-linux",
  unshare: "util-linux",
  pivot_root: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  losetup: "mount",
  "mkfs.ext4": "e2fsprogs",
  "apt-config": "apt",
  tar: "tar",
};

/** cron's and sudo's PATH may lack the administrator's directories. */
export const searchPath = [
  ...(process.env.PATH ?? "").split(":"),
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/bin",
  "/bin",
].filter((each, index, all) => each !== "" && all.indexOf(each) === index);

/** Why this machine and user cannot raise a lab; undefined where they can. */
export async function obstacle(): Promise<FastmigError | undefined> {
  if (process.platform !== "linux") return refuse("the lab runs on Linux only", "LAB_PLATFORM", []);
  if (process.getuid?.() !== 0) {
    return refuse("the lab needs root: it makes namespaces, mounts and links", "LAB_ROOT", [
      "run the same command as root, or with sudo",
    ]);
  }
  const missing = await missingPackages();
  if (missing.length === 0) return undefined;
  return refuse(`the lab needs packages that are not installed: ${missing.join(", ")}`, "LAB_PACKAGES", [
    `apt-get install --no-install-recommends ${missing.join(" ")}`,
  ]);
}

async function missingPackages(): Promise<string[]> {
  const absent: string[] = [];
  for (const [tool, name] of Object.entries(tools)) if (!(await isInstalled(tool))) absent.push(name);
  return [...new Set(absent)];
}

async function isInstalled(tool: string): Promise<boolean> {
  const looks = searchPath.map((dir) => access(join(dir, tool), constants.X_OK).then(() => true));
  return Promise.any(looks).catch(() => false);
}

function refuse(message: string, code: string, hint: string[]): FastmigError {
  return new FastmigError(message, { code, exit: exitCodes.preflight, hint });
}
