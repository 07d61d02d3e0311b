import { setRate } from "../../src/lab/index.js";
import { waitFor } from "../../src/wait.js";
import { type Cast, seedService } from "../../test/support/services.js";
import { type Stage } from "../../test/support/stage.js";
import { type Packet, readPackets } from "../../test/support/workloads/packets.js";
import { onMachines, type Say } from "../vm-stage.js";
import { type Load, seedLoad, seedRate } from "./load.js";
import { downtimeOf, irregular, listed } from "./packets.js";

const strategies = ["stop-and-copy", "pre-copy"] as const;
/** As many packets as the seed's client takes, and at least so many after the move. */
const shown = { all: 15, after: 3 };

export interface SeedRun {
  strategy: (typeof strategies)[number];
  load: Load;
  /** Bytes per second of the link. */
  rate: number;
  packets: Packet[];
  downtimeMs: number;
  /** Numbers that did not follow the one before: none, where it is the same memory. */
  irregular: number[];
}

/** The seed's experiment: a client takes numbered packets while the server moves, without and with pre-copy. */
export function seedPredump(say: Say): Promise<SeedRun[]> {
  return onMachines(say, async (stage) => {
    await setRate(stage.lab, seedRate);
    const runs: SeedRun[] = [];
    for (const strategy of strategies) {
      say(`${strategy}: ${seedLoad.megabytes} MB, ${seedLoad.percent} % dirty a second, link 100 MB/s`);
      runs.push(await run(stage, strategy));
      await stage.clear();
      await setRate(stage.lab, seedRate);
    }
    return runs;
  });
}

export function seedText(runs: readonly SeedRun[]): string {
  return runs.map((each) => `${title(each)}\n${listed(each.packets)}\n`).join("\n");
}

function title({ strategy, downtimeMs, load }: SeedRun): string {
  const how = strategy === "pre-copy" ? "With pre-copy" : "Without pre-copy";
  const lost =
    downtimeMs < 1000 ? "no perceivable downtime" : `a downtime of ${(downtimeMs / 1000).toFixed(1)} s`;
  return `${how}, ${load.megabytes} MB: ${lost} from the client's side`;
}

async function run(stage: Stage, strategy: SeedRun["strategy"]): Promise<SeedRun> {
  const cast = seedService(null, seedLoad.megabytes, seedLoad.percent);
  const plan = await stage.plan([cast], { strategy });
  await stage.result("start", plan);
  const path = await stage.clients.takePackets(stage.addresses(cast));
  await stage.result("migrate", plan);
  const packets = await shownPackets(path, cast);
  const downtimeMs = downtimeOf(packets);
  return { strategy, load: seedLoad, rate: seedRate, packets, downtimeMs, irregular: irregular(packets) };
}

/** From a few before the longest wait to a few after the move, at least as many as the seed shows. */
async function shownPackets(path: string, { name }: Cast): Promise<Packet[]> {
  const enough = (await readPackets(path)).length + shown.after;
  const look = async (): Promise<Packet[] | undefined> => {
    const packets = await readPackets(path);
    return packets.length >= Math.max(enough, shown.all) ? packets : undefined;
  };
  return waitFor(`packets of ${name}`, look, { timeout: 60_000 });
}
