import { expect } from "@jest/globals";
import { type Round } from "../../src/daemon/api.js";
import { waitFor } from "../../src/wait.js";
import { ask } from "./ask.js";
import { statusOf } from "./daemon.js";
import { type Cast, seedService } from "./services.js";
import { type Move, type NodeName, type Stage } from "./stage.js";
import { Witness } from "./witness.js";
import { type SeedAccount } from "./workloads/seed.js";

/** Machines of a lab boot one after the other: moves towards the younger one are allowed. */
export const anyClock = "--allow-clock-jump";

/** Milliseconds. Every look is a process on an emulated machine: more of them would slow what they look at. */
const patience = { timeout: 150_000, interval: 400 };

/** The seed's server under watch on node a, and a plan that moves it in rounds. */
export interface PreCopyScene {
  cast: Cast;
  plan: string;
  witness: MemoryWitness;
}

export async function preCopyScene(stage: Stage, move: Move = {}, megabytes = 64): Promise<PreCopyScene> {
  const cast = seedService(stage.lab.client.address, megabytes, 2);
  const plan = await stage.plan([cast], { strategy: "pre-copy", ...move });
  await stage.clients.collect();
  await stage.result("start", plan);
  return { cast, plan, witness: await MemoryWitness.of(stage, cast) };
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

/** Waits until a round is as wanted; says which migration it is of. */
export async function inRound(
  stage: Stage,
  cast: Cast,
  number: number,
  wanted: (round: Round) => boolean = ({ shipped }) => shipped > 0,
): Promise<string> {
  const look = async (): Promise<string | undefined> => {
    const { open, migration } = await statusOf(stage, "a", cast);
    const round = migration?.rounds.find((one) => one.number === number);
    return round !== undefined && wanted(round) ? open?.id : undefined;
  };
  return waitFor(`round ${number} of ${cast.name}`, look, patience);
}
