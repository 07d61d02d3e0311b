/** CRIU's lists of pages, rewritten by the native program `pages` (native/README.md): a list may have millions of runs. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "./at-once.js";
import { runCommand, tail } from "./command.js";

const program = "/usr/lib/fastmig/pages";

/** Exit codes. */
const done = 0;
const unknownForm = 2;

export interface PageLists {
  /**
   * Joins those runs of a directory's lists that follow each other both there and in memory. CRIU that is unprivileged takes a
   * tree's pages through pipes of two pages each, once the kernel's share for its user is used up, and lists each as a run:
   * 40,000 for 300 MB, every one of them read by itself in the restore. Rejects where a list is half written.
   */
  join(directory: string): Promise<void>;
  /**
   * Writes a round's pages to where the levels that it builds on have them, the oldest level first: a restore then reads few
   * long runs instead of many short ones. Answers the directory of those pages that no level has, which builds on the last
   * one; null: there is none. The round is not needed any more then. Undefined where it cannot be folded.
   *
   * Until it resolves the round is whole and hides what changes below it: so it may end anywhere, by a full disk or a death.
   * Rejects where it does, or the signal aborts.
   */
  fold(
    images: string,
    round: string,
    levels: readonly string[],
    signal: AbortSignal,
  ): Promise<string | null | undefined>;
}

/** @param path of the program; another one than the container's in tests. */
export function nativePageLists(path = program): PageLists {
  const run = async (
    argv: readonly string[],
    signal?: AbortSignal,
  ): Promise<typeof done | typeof unknownForm> => {
    signal?.throwIfAborted();
    const { code, output } = await runCommand([path, ...argv], {}, signal);
    signal?.throwIfAborted();
    if (code === done || code === unknownForm) return code;
    throw new Error(`the lists of pages: ${tail(output, 1)[0] ?? `exit code ${code}`}`);
  };
  return {
    async join(directory) {
      await run(["join", directory]);
    },
    async fold(images, round, levels, signal) {
      const rest = `${round}-rest`;
      // An earlier try may have left some of it.
      await rm(join(images, rest), { recursive: true, force: true });
      if ((await run(["fold", images, round, rest, ...levels], signal)) === unknownForm) return undefined;
      return (await exists(join(images, rest))) ? rest : null;
    },
  };
}
