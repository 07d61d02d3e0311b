import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpointed } from "../../src/migration/image/checkpoint.js";
import { type Restored } from "../../src/migration/image/restore.js";
import { waitFor } from "../../src/wait.js";
import { ask } from "../../test/support/ask.js";
import { textService, type Cast } from "../../test/support/services.js";
import { type Stage } from "../../test/support/stage.js";
import { place } from "../raw-container.js";
import { warm } from "../warm.js";

export type Budget = "low" | "medium" | "high";

export interface OurTimes {
  made: Checkpointed;
  back: Restored;
}

const url = `file:${place}/image`;

/** A service of so much memory that is frozen into an image on tmpfs and brought back from it, again and again. */
export class Sleeper {
  private constructor(
    readonly stage: Stage,
    readonly cast: Cast,
    readonly plan: string,
  ) {}

  static async start(stage: Stage, megabytes: number, processes = 1): Promise<Sleeper> {
    await stage.on("a", "sh", "-c", `mkdir -p ${place} && mount -t tmpfs -o size=90% bench ${place}`);
    const run = { publish: ["8040:8040"], volumes: [`${place}:${place}`] };
    const cast = textService(megabytes, processes, { run });
    const plan = await stage.plan([cast]);
    await stage.result("start", plan);
    const filled = (): Promise<unknown> => ask(stage, cast, "a", "/memory");
    await waitFor("the service's memory", filled, { timeout: 120_000, interval: 200 });
    return new Sleeper(stage, cast, plan);
  }

  async sleep(budget: Budget, secret: boolean): Promise<OurTimes> {
    return { made: await this.freeze(budget, secret), back: await this.wake(secret) };
  }

  async freeze(budget: Budget, secret: boolean, to = url): Promise<Checkpointed> {
    const how = ["--to", to, "--cpu-budget", budget, ...(await this.#key(secret))];
    warm(4);
    return this.stage.result<Checkpointed>("checkpoint", this.plan, ...how);
  }

  async wake(secret: boolean): Promise<Restored> {
    const how = ["--from", url, ...(await this.#key(secret))];
    warm(4);
    return this.stage.result<Restored>("restore", this.plan, ...how);
  }

  async #key(secret: boolean): Promise<string[]> {
    const key = join(this.stage.dir, "passphrase");
    await writeFile(key, "a passphrase of the bench\n");
    return secret ? ["--passphrase-file", key] : [];
  }

  async end(): Promise<void> {
    await this.stage.clear();
    await this.stage.on("a", "sh", "-c", `umount ${place}; rm -rf ${place}`);
  }
}
