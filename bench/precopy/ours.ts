import { longestGap } from "../../src/lab/demo/ledger.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { type Writer } from "../../test/support/clients.js";
import { type Cast, seedService } from "../../test/support/services.js";
import { type Move, type NodeName, type Stage } from "../../test/support/stage.js";
import { type SeedAccount } from "../../test/support/workloads/seed.js";
import { ask } from "../../test/support/ask.js";
import { type Load } from "./load.js";

export interface WatchedMove {
  /** The longest time that the client had no answer, milliseconds. */
  downtime: number;
  report: MigrationReport;
}

/** The seed's server under a client that asks it all the time; it is moved to and fro. */
export class WatchedService {
  #at: NodeName = "a";

  private constructor(
    readonly stage: Stage,
    readonly cast: Cast,
    readonly writer: Writer,
  ) {}

  static async start(stage: Stage, { megabytes, percent }: Load): Promise<WatchedService> {
    const cast = seedService(null, megabytes, percent);
    await stage.result("start", await stage.plan([cast]));
    return new WatchedService(stage, cast, await stage.clients.watch(stage.addresses(cast)));
  }

  /** Moves it to the other node, and sees that its memory came whole. */
  async move(move: Move): Promise<WatchedMove> {
    const { stage, cast, writer } = this;
    const [from, to]: NodeName[] = this.#at === "a" ? ["a", "b"] : ["b", "a"];
    const plan = await stage.plan([cast], { from, to, transfer: "direct", ...move });
    const before = (await writer.ledger()).length;
    const [report] = await stage.migrate(plan);
    await writer.goesOn();
    const gap = longestGap((await writer.ledger()).slice(before));
    this.#at = to as NodeName;
    const { wrong } = await ask<SeedAccount>(stage, cast, this.#at, "POST /verify", 60_000);
    if (wrong.length > 0)
      throw new Error(`after the move to ${this.#at} pages are wrong: ${wrong.join(", ")}`);
    return { downtime: gap?.length ?? NaN, report: report as MigrationReport };
  }
}
