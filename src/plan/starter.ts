import { constants, copyFile } from "node:fs/promises";
import { exitCodes, FastmigError, messageOf } from "../errors.js";

/**
 * Writes a plan to start from, a copy of `template`; a file that is there stays as it is (PLAN_EXISTS, exit 2).
 * PLAN_NOT_WRITTEN, exit 2, where the file cannot be made.
 */
export async function writeStarter(path: string, template: string): Promise<void> {
  try {
    await copyFile(template, path, constants.COPYFILE_EXCL);
  } catch (thrown) {
    throw notWritten(path, thrown);
  }
}

function notWritten(path: string, cause: unknown): FastmigError {
  const usage = { exit: exitCodes.usage, cause };
  if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
    const hint = "name another file: fastmig plan init PATH";
    return new FastmigError(`${path} exists and is left as it is`, { ...usage, code: "PLAN_EXISTS", hint });
  }
  return new FastmigError(`${path} cannot be written: ${messageOf(cause)}`, {
    ...usage,
    code: "PLAN_NOT_WRITTEN",
  });
}
