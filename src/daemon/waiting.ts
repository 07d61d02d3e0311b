/** A CRIU that came up before there is anything to restore: to be loaded and linked took it 45 ms on an emulated machine. */
import { constants, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pause } from "../wait.js";
import { removeFile, withFile } from "./at-once.js";
import { runCommand, tail } from "./command.js";
import { isDead } from "./procfs.js";
import type { Processes, Tracked } from "./processes.js";

/** Among init's children. */
export const aheadName = "ahead";

/**
 * CRIU's configuration file, a pipe: it waits until somebody opens it for writing, and learns from it where the images are.
 * Where nothing is written it has no images and ends.
 */
export const gateIn = (workDir: string): string => join(workDir, "gate");

export async function makeGate(workDir: string): Promise<void> {
  await removeFile(gateIn(workDir));
  const { code, output } = await runCommand(["mkfifo", "--mode=0644", gateIn(workDir)]);
  if (code !== 0) throw new Error(`mkfifo ended with ${code}: ${tail(output, 5).join("; ")}`);
}

export class WaitingCriu {
  readonly criu: Tracked;
  readonly #workDir: string;

  constructor(criu: Tracked, workDir: string) {
    this.criu = criu;
    this.#workDir = workDir;
  }

  /** False where it is not there any more: then nothing was restored. */
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
      await withFile(gateIn(this.#workDir), constants.O_WRONLY | constants.O_NONBLOCK, 0, (fd) =>
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
