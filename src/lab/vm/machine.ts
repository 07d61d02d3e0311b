import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../cache.js";
import { makeGroups } from "../cgroups.js";
import { writeAtomically, writeTree } from "../files.js";
import { writeIdentity } from "../keys.js";
import { hardwareAddress } from "../network.js";
import { nodeFiles, type Limits } from "../node-files.js";
import { run } from "../run.js";
import type { LabNode, VmState } from "../state.js";
import { guestScript, machineLaunchScript } from "./boot.js";
import { confinedQemu } from "./confine.js";
import { machineArgv } from "./qemu.js";

/** A machine's root may raise its limits as it likes; these are what Podman gives to containers. */
const limits: Limits = { nofile: "1048576", nproc: "65536" };

/** Writes what a machine boots from; its disk stays as it is where it has one. Answers with the script that starts it. */
export async function prepareMachine(state: VmState, node: LabNode): Promise<string> {
  const { machine } = state;
  const files = {
    "disk.img": await ensureDisk(state, node),
    kernel: machine.kernel,
    "config.tar": await configTar(state, node),
  };
  const confinement = {
    root: machine.qemu,
    files,
    writable: ["disk.img"],
    accelerator: machine.accelerator,
  };
  await writeAtomically(`${node.dir}/machine.sh`, confinedQemu(confinement, qemu(state, node)));
  const groups = await makeGroups(state.id, node.name);
  await writeAtomically(`${node.dir}/launch.sh`, machineLaunchScript(state, node, groups));
  return `${node.dir}/launch.sh`;
}

/**
 * A copy that shares blocks with the original where the file system can, and is as sparse everywhere. It is
 * raw: what was synced to a qcow2 disk could be lost with QEMU (docs/decisions.md).
 */
async function ensureDisk({ machine }: VmState, node: LabNode): Promise<string> {
  const disk = join(node.dir, "disk.img");
  if (await exists(disk)) return disk;
  await mkdir(node.dir, { recursive: true });
  await run(["cp", "--reflink=auto", "--sparse=auto", machine.disk, `${disk}.new`]);
  await rename(`${disk}.new`, disk);
  return disk;
}

const qemu = (state: VmState, node: LabNode): readonly string[] =>
  machineArgv({
    name: `${state.name}-${node.name}`,
    accelerator: state.machine.accelerator,
    memory: state.machine.memory,
    hardwareAddress: hardwareAddress(node.address),
    processor: node.processor,
  });

/** Who the machine is: unpacked over its disk at every boot. */
async function configTar(state: VmState, node: LabNode): Promise<string> {
  const [tree, tar] = [join(node.dir, "config"), join(node.dir, "config.tar")];
  await rm(tree, { recursive: true, force: true });
  const boot = guestScript(node, state.machine.accelerator);
  await writeTree(tree, { ...nodeFiles(state, limits, false), "etc/lab/boot.sh": boot });
  await writeIdentity(state, node, tree);
  await run(["tar", "--owner=0", "--group=0", "--blocking-factor=2048", "-C", tree, "-cf", tar, "."]);
  return tar;
}
