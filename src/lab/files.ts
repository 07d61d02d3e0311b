import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Readers see the old file or the new one, never half of one. */
export async function writeAtomically(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  await writeFile(beside, content, { mode });
  await rename(beside, path);
}

/** Writes files below a directory; keys are paths without a leading slash. */
export async function writeTree(
  root: string,
  files: Readonly<Record<string, string>>,
  mode = 0o644,
): Promise<void> {
  for (const [path, content] of Object.entries(files))
    await writeAtomically(`${root}/${path}`, content, mode);
}

/** `ENOENT`, `ESRCH` …; undefined for what is no error of the system. */
export function errno(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException | undefined)?.code;
}
