import { expect } from "@jest/globals";
import { contradictions } from "../../src/lab/demo/ledger.js";
import { waitFor } from "../../src/wait.js";
import { ask } from "./ask.js";
import { type Writer } from "./clients.js";
import { type Cast } from "./services.js";
import { type NodeName, type Stage } from "./stage.js";
import { type Heartbeat, secondHeartbeats } from "./workloads/heartbeats.js";

export interface Identity {
  pid: number;
  uid: number;
  /** Made when the program started. */
  boot: string;
  startedAt: number;
  counter: number;
}

/** What has to be the same after a move, and a client that has been writing all the time. */
export class Witness {
  private constructor(
    readonly stage: Stage,
    readonly cast: Cast,
    readonly writer: Writer,
    readonly identity: Identity,
    readonly checksum: string | undefined,
  ) {}

  /** Starts to watch a service that runs on the node. */
  static async of(stage: Stage, cast: Cast, node: NodeName): Promise<Witness> {
    const identity = await waitFor(
      `${cast.name} on ${node}`,
      () => ask<Identity>(stage, cast, node, "/identity"),
      { timeout: 20_000 },
    );
    const writer = await stage.clients.count(stage.addresses(cast));
    return new Witness(stage, cast, writer, identity, await checksum(stage, cast, node));
  }

  /** The same process answers, on that node alone; no write was lost, no second copy ever beat. */
  async servesOn(node: NodeName, timeout = 30_000): Promise<void> {
    const { stage, cast, writer } = this;
    const news = await writer.goesOn(timeout);
    expect([...new Set(news.map(({ address }) => address))]).toEqual([`${stage.address(node)}:${cast.port}`]);
    const now = await ask<Identity>(stage, cast, node, "/identity");
    expect(now).toEqual({ ...this.identity, counter: expect.any(Number) });
    expect(await checksum(stage, cast, node)).toBe(this.checksum);
    await this.hasSeenOneCopy(node);
  }

  async hasSeenOneCopy(node: NodeName): Promise<void> {
    expect(contradictions(await this.writer.ledger())).toEqual([]);
    const beats = await this.#heartbeats(node);
    expect(secondHeartbeats(beats)).toEqual([]);
    expect(beats.at(-1)?.boot).toBe(this.identity.boot);
  }

  /** All of them, once that node has sent the last. */
  #heartbeats(node: NodeName): Promise<Heartbeat[]> {
    const { stage, cast } = this;
    const look = async (): Promise<Heartbeat[] | undefined> => {
      const beats = await stage.clients.heartbeats(cast.name);
      return beats.at(-1)?.from === stage.address(node) ? beats : undefined;
    };
    return waitFor(`a heartbeat from ${node}`, look, { timeout: 60_000, interval: 200 });
  }
}

async function checksum(stage: Stage, cast: Cast, node: NodeName): Promise<string | undefined> {
  return (await ask<{ sha256?: string }>(stage, cast, node, "/memory")).sha256;
}
