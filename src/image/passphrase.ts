import { readFile } from "node:fs/promises";
import { exitCodes, FastmigError, messageOf } from "../errors.js";

/** The first line of a file, as OpenSSL's `-pass file:` takes it; null where no file is named. Throws PASSPHRASE_FILE (exit 2). */
export async function readPassphrase(path: string | undefined): Promise<Buffer | null> {
  if (path === undefined) return null;
  const refuse = (why: string): FastmigError =>
    new FastmigError(`the passphrase file ${path} ${why}`, {
      code: "PASSPHRASE_FILE",
      exit: exitCodes.usage,
    });
  const content = await readFile(path).catch((thrown: unknown) => {
    throw refuse(`cannot be read: ${messageOf(thrown)}`);
  });
  const end = content.indexOf("\n");
  const line = end < 0 ? content : content.subarray(0, end);
  if (line.length === 0) throw refuse("has no passphrase in its first line");
  return line;
}
