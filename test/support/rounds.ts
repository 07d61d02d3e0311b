import { expect } from "@jest/globals";
import { type Round } from "../../src/daemon/api.js";
import { waitFor } from "../../src/wait.js";
import { ask } from "./ask.js";
import { statusOf } from "./daemon.js";
import { tooEarly } from "./failing.js";
import { type RunningFastmig } from "./running.js";
import { type Cast, seedService } from "./services.js";
import { type Move, type NodeName, type Stage } from "./stage.js";
import { Witness } from "./witness.js";
import { type SeedAccount } from "./workloads/seed.js";

/** Milliseconds. Every look is a process on an emulated machine: more of them would slow what they look at. */
const patience = { timeout: 150_000, interval: 400 };

/** The seed's server under watch on node a. */
export interface PreCopyScene {
  cast: Cast;
  witness: MemoryWitness;
}

export async function preCopyScene(stage: Stage): Promise<PreCopyScene> {
  const cast = seedService(stage.lab.client.address, 64, 2);
  await stage.clients.collect();
  await stage.result("start", await stage.plan([cast], { strategy: "pre-copy" }));
  return { cast, witness: await MemoryWitness.of(stage, cast) };
}

/** A witness who also knows what every page has to hold. */
export class MemoryWitness {
  private constructor(
    readonly witness: Witness,
    readonly first: SeedAccount,
  ) {}

  static async of(stage: Stage, cast: Cast): Promise<MemoryWitness> {
    const witness = await Witness.of(stage, cast, "a");
    return new MemoryWitness(witness, await verified(stage, cast, "a"));
  }

  /** The same process serves there alone, and no page is older than it was written or else wrong. */
  async servesOn(node: NodeName): Promise<void> {
    const { stage, cast } = this.witness;
    await this.witness.servesOn(node, 60_000);
    const now = await verified(stage, cast, node);
    expect(now).toEqual({ ...this.first, writes: expect.any(Number) });
    expect(now.writes).toBeGreaterThanOrEqual(this.first.writes);
  }
}

function verified(stage: Stage, cast: Cast, node: NodeName): Promise<SeedAccount> {
  return ask<SeedAccount>(stage, cast, node, "POST /verify", 60_000);
}

/** A migration in rounds that is under way. */
export interface Rounds extends RunningFastmig {
  cast: Cast;
  /** Waits until a round is as wanted; that the migration ends before is an error. */
  reach(number: number, wanted?: (round: Round) => boolean): Promise<void>;
}

/** Starts `fastmig migrate --json` of a service that runs on `from`. */
export async function startInRounds(
  stage: Stage,
  cast: Cast,
  move: Move & { from: NodeName },
): Promise<Rounds> {
  const plan = await stage.plan([cast], { strategy: "pre-copy", ...move });
  const running = stage.startFastmig("migrate", plan, "--json");
  return {
    ...running,
    cast,
    reach: (number, wanted = ({ shipped }) => shipped > 0) => {
      const look = async (): Promise<true | undefined> => {
        const { migration } = await statusOf(stage, move.from, cast);
        return migration?.rounds.some((one) => one.number === number && wanted(one)) ? true : undefined;
      };
      const reached = waitFor(`round ${number} of ${cast.name}`, look, patience).then(() => undefined);
      return Promise.race([reached, tooEarly(running, `round ${number}`)]);
    },
  };
}
