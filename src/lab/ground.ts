import { ensureQemu, ensureRoot, type Say } from "./root.js";
import type { LabKind, LabState, Machine } from "./state.js";
import { accelerate } from "./vm/accelerator.js";
import { ensureMachineBase } from "./vm/disk.js";

/** What a lab stands on: this machine's caches, and how its nodes are launched. */
export type Ground = Pick<LabState, "root"> &
  ({ launcher: "namespaces" } | { launcher: "vm"; machine: Machine });

/** Makes what is missing in the caches; `memory` is in bytes, of each machine. */
export async function ensureGround(kind: LabKind, memory: number, say: Say): Promise<Ground> {
  const root = await ensureRoot(say);
  if (kind === "namespaces") return { launcher: kind, root };
  const qemu = await ensureQemu(say);
  const files = { ...(await ensureMachineBase(say)), qemu };
  const accelerator = await accelerate(files, say);
  return { launcher: kind, root, machine: { ...files, accelerator, memory } };
}

/** Pure: of all that a state says, what the lab stands on. */
export function groundIn(state: Ground): Ground {
  const { launcher, root } = state;
  return launcher === "vm" ? { launcher, root, machine: state.machine } : { launcher, root };
}

/** Pure: whether disks written over the one are disks over the other. */
export const sameDisks = (one: Ground, other: Ground): boolean => diskOf(one) === diskOf(other);

const diskOf = (ground: Ground): string => (ground.launcher === "vm" ? ground.machine.disk : ground.root);
