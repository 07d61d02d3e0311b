import { setRate } from "../../src/lab/index.js";
import { inTheTransfer } from "./daemon.js";
import { type RunningFastmig } from "./running.js";
import { patternService, type Cast } from "./services.js";
import { type Move, type Stage } from "./stage.js";
import { Witness } from "./witness.js";

/** Bytes per second: 100 MB then take five seconds, which leaves time for a fault. */
const slow = 20e6;

export interface Halfway {
  cast: Cast;
  plan: string;
  witness: Witness;
  running: RunningFastmig;
  id: string;
}

/** A watched service of so many MB on node a, and a plan that moves it. */
export async function watched(
  stage: Stage,
  move: Move = {},
  more: Partial<Cast["written"]> = {},
  megabytes = 100,
): Promise<Omit<Halfway, "running" | "id">> {
  const cast = patternService(stage.lab.client.address, megabytes, more);
  const plan = await stage.plan([cast], move);
  await stage.clients.collect();
  await stage.result("start", plan);
  return { cast, plan, witness: await Witness.of(stage, cast, "a") };
}

/** The same, with a migration whose service is frozen and whose memory is on the way. */
export async function halfway(stage: Stage, move: Move = {}): Promise<Halfway> {
  const scene = await watched(stage, move);
  await setRate(stage.lab, slow);
  const running = stage.startFastmig("migrate", scene.plan);
  const id = await Promise.race([inTheTransfer(stage, scene.cast, "a"), tooEarly(running, "its transfer")]);
  return { ...scene, running, id };
}

/** Rejects when the migration ends, with what it said. */
export async function tooEarly(running: RunningFastmig, what: string): Promise<never> {
  const { exit, stdout, stderr } = await running.ended;
  throw new Error(`the migration ended with ${exit} before ${what}\n${stdout}\n${stderr}`);
}

/** The fault is over: a second migration succeeds, and the same process serves at the destination. */
export async function secondSucceeds(
  stage: Stage,
  { plan, witness }: Pick<Halfway, "plan" | "witness">,
): Promise<void> {
  await setRate(stage.lab, null);
  await stage.migrate(plan);
  await witness.servesOn("b");
}
