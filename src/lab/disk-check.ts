import { mkdir, statfs } from "node:fs/promises";
import { FastmigError, exitCodes } from "../errors.js";

/** statfs(2)'s types of file systems that cannot lie below a node. */
const unfit = new Map([
  [0x794c7630, "an overlay"],
  [0x01021994, "a tmpfs"],
]);

/** Container storage on an overlay or in memory cannot be dumped, or not be measured: it must be a disk. */
export async function requireDisk(dir: string, variable: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const kind = unfit.get((await statfs(dir)).type);
  if (kind === undefined) return;
  throw new FastmigError(`the lab needs a real disk, but ${dir} lies on ${kind}`, {
    code: "LAB_DISK",
    exit: exitCodes.preflight,
    hint: `set ${variable} to a directory on a disk`,
  });
}
