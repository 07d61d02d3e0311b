import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FastmigError, exitCodes } from "../errors.js";
import { errno, writeAtomically } from "./files.js";
import type { LabPaths } from "./paths.js";

const address = z.ipv4();

const nodeSchema = z.strictObject({
  name: z.string(),
  address,
  /** The node's own disk: overlay, container storage, console.log. */
  dir: z.string(),
  /** QEMU's model of the machine's processor; undefined: the best that the accelerator has. */
  processor: z.string().optional(),
  /** For how much longer than this machine a node in namespaces has been up, in ms, as its clocks have it. */
  uptime: z.number().nonnegative().optional(),
});

const common = {
  schemaVersion: z.literal(1),
  name: z.string(),
  id: z.string(),
  dir: z.string(),
  namespaces: z.string(),
  /** The unpacked root file system below every node. */
  root: z.string(),
  /** First three bytes of the lab's network, `10.77.3`. */
  network: z.string(),
  controller: z.strictObject({ address }),
  client: z.strictObject({ address }),
  nodes: z.array(nodeSchema),
  /** Bytes per second on every node's link, each way; null: unshaped. */
  rate: z.number().positive().nullable(),
  sshConfig: z.string(),
};

const machine = z.strictObject({
  /** The image that every machine's disk is a copy of, and the kernel. */
  disk: z.string(),
  kernel: z.string(),
  /** The root file system that QEMU runs in. */
  qemu: z.string(),
  accelerator: z.enum(["kvm", "tcg"]),
  /** Bytes of each. */
  memory: z.number().positive(),
});

const stateSchema = z.discriminatedUnion("launcher", [
  z.strictObject({ launcher: z.literal("namespaces"), ...common }),
  z.strictObject({ launcher: z.literal("vm"), ...common, machine }),
]);

export type LabState = z.infer<typeof stateSchema>;
export type LabKind = LabState["launcher"];
export type VmState = Extract<LabState, { launcher: "vm" }>;
export type Machine = z.infer<typeof machine>;
export type LabNode = z.infer<typeof nodeSchema>;

const stateFile = (dir: string): string => join(dir, "state.json");

/** The lab as it was last raised; undefined where there is none, or where a killed `up` never wrote one. */
export async function readState(paths: LabPaths): Promise<LabState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(stateFile(paths.dir), "utf8")));
  } catch (thrown) {
    if (thrown instanceof z.ZodError || thrown instanceof SyntaxError || errno(thrown) === "ENOENT")
      return undefined;
    throw thrown;
  }
}

export function writeState(state: LabState): Promise<void> {
  return writeAtomically(stateFile(state.dir), `${JSON.stringify(state, undefined, 2)}\n`);
}

export function labNode(state: LabState, name: string): LabNode {
  const node = state.nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  throw new FastmigError(`the lab "${state.name}" has no node "${name}"`, {
    code: "LAB_NODE",
    exit: exitCodes.usage,
    hint: `nodes: ${state.nodes.map((each) => each.name).join(", ")}`,
  });
}

export function noLab(name: string): FastmigError {
  return new FastmigError(`there is no lab "${name}"`, {
    code: "LAB_DOWN",
    exit: exitCodes.usage,
    hint: `fastmig lab up${name === "lab" ? "" : ` --name ${name}`}`,
  });
}
