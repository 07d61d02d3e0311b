import { createHash } from "node:crypto";
import { cp, readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** What an image is built from: paths in the context, and the file or directory of this machine behind each. */
export type Context = Readonly<Record<string, string>>;

/** A digest of all names, modes and contents, and of `words`. Times do not count. */
export async function contextDigest(context: Context, words: readonly unknown[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(words));
  for (const [path, source] of Object.entries(context).sort()) await addPath(hash, path, source);
  return hash.digest("hex").slice(0, 16);
}

async function addPath(hash: ReturnType<typeof createHash>, path: string, source: string): Promise<void> {
  const found = await stat(source);
  if (found.isDirectory()) {
    for (const name of (await readdir(source)).sort())
      await addPath(hash, `${path}/${name}`, join(source, name));
    return;
  }
  const content = createHash("sha256")
    .update(await readFile(source))
    .digest("hex");
  hash.update(`${path}\0${found.mode & 0o777}\0${content}\n`);
}

export async function layOut(context: Context, dir: string): Promise<void> {
  for (const [path, source] of Object.entries(context))
    await cp(source, join(dir, path), { recursive: true });
}
