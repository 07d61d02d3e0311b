/** A CRIU that came up before there is anything to dump or to restore: that took it 100 ms on an emulated machine. */
import { constants, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makePipe } from "../pipe.js";
import { pause } from "../wait.js";
import { withFile } from "./at-once.js";
import { isDead } from "./procfs.js";
import type { Processes, Tracked } from "./processes.js";

/** Among init's children. */
export const aheadName = "ahead";

/**
 * Makes CRIU's configuration file, a pipe: it waits until somebody opens it for writing, and learns from it where the images
 * are. Where nothing is written it has no images and ends. Resolves to its path.
 */
export async function makeGate(workDir: string, verb: "dump" | "restore"): Promise<string> {
  const gate = join(workDir, `${verb}.gate`);
  await makePipe(gate, "0644");
  return gate;
}

export class WaitingCriu {
  readonly criu: Tracked;
  readonly #gate: string;

  constructor(criu: Tracked, gate: string) {
    this.criu = criu;
    this.#gate = gate;
  }

  /** False where it is not there any more: then it has done nothing. */
  async letGo(imagesDir: string): Promise<boolean> {
    for (;;) {
      if (await this.#told(`images-dir ${imagesDir}\n`)) return true;
      if (await isDead(this.criu)) return false;
      await pause(1);
    }
  }

  /** False where it has not come as far as the gate. */
  async #told(words: string): Promise<boolean> {
    try {
      await withFile(this.#gate, constants.O_WRONLY | constants.O_NONBLOCK, 0, (fd) =>
        Promise.resolve(writeFileSync(fd, words)),
      );
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENXIO") return false;
      throw thrown;
    }
  }
}

/** Whatever came up ahead, let go or not: resolves when it is dead. */
export async function endAhead(processes: Processes): Promise<void> {
  const left = (await processes.init.list()).filter(({ name }) => name === aheadName);
  for (const child of left) {
    await processes.kill(child.pid, 9);
    await processes.track(child).ended;
  }
}
