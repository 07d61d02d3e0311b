import { type MigrationReport } from "../src/migration/report.js";
import { type Move, type NodeName, type Stage } from "../test/support/stage.js";
import { patternService, type Cast } from "../test/support/services.js";
import { waitFor } from "../src/wait.js";
import { ask } from "../test/support/ask.js";

/** A migration as its service and its operator saw it, in milliseconds. */
export interface OurMove {
  /** The longest gap of the service's own 5 ms tick. */
  blackout: number;
  /** From the start of `fastmig migrate` to its end. */
  wall: number;
  report: MigrationReport;
}

interface Ticks {
  longestMs: number;
}

/** A service of patterned memory that is moved to and fro. */
export class Mover {
  #at: NodeName = "a";

  private constructor(
    readonly stage: Stage,
    readonly cast: Cast,
  ) {}

  static async start(stage: Stage, megabytes: number): Promise<Mover> {
    const cast = patternService(stage.lab.client.address, megabytes);
    await stage.result("start", await stage.plan([cast]));
    await waitFor("the service", () => ask<Ticks>(stage, cast, "a", "/ticks"), { timeout: 20_000 });
    return new Mover(stage, cast);
  }

  get at(): NodeName {
    return this.#at;
  }

  /** Moves it to the other node. */
  async move(transfer: "direct" | "relay", more: Move = {}): Promise<OurMove> {
    const { stage, cast } = this;
    const [from, to]: NodeName[] = this.#at === "a" ? ["a", "b"] : ["b", "a"];
    const plan = await stage.plan([cast], { from, to, transfer, ...more });
    await ask<Ticks>(stage, cast, this.#at, "POST /ticks/reset");
    const began = performance.now();
    const [report] = await stage.migrate(plan);
    const wall = performance.now() - began;
    this.#at = to as NodeName;
    const { longestMs } = await ask<Ticks>(stage, cast, this.#at, "/ticks");
    return { blackout: longestMs, wall, report: report as MigrationReport };
  }
}
