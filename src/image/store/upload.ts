import { join } from "node:path";
import { makePipe, openPipe } from "../../pipe.js";
import type { Upload } from "./store.js";

/** Sends what comes out of an open pipe to where it belongs; resolves when it will outlast a crash. */
export type Send = (pipe: number, signal: AbortSignal) => Promise<void>;

/** @param begin of an object: resolves when the store has agreed to take it. */
export async function uploadFromPipes(
  names: readonly string[],
  directory: string,
  begin: (name: string) => Promise<Send>,
): Promise<Upload> {
  const paths = names.map((name) => join(directory, name));
  const sends = await Promise.all(names.map(begin));
  for (const path of paths) await makePipe(path, "0600");
  const given = new AbortController();
  const sent = sends.map((send, at) => send(openPipe(paths[at] ?? ""), given.signal));
  const all = Promise.all(sent);
  const failed = new Promise<never>((_, reject) => all.catch(reject));
  failed.catch(() => undefined);
  return {
    paths,
    failed,
    settle: async () => void (await all),
    abandon: async () => {
      given.abort();
      await Promise.allSettled(sent);
    },
  };
}
