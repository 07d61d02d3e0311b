import { commandLine, type Argv } from "../../argv.js";
import { leaf, ownDirectories, script, systemMounts } from "../boot.js";
import { namespaceFile } from "../namespaces.js";
import type { LabNode, LabState } from "../state.js";
import { backGuest } from "./network.js";
import type { Accelerator } from "./qemu.js";

/** The rest of a machine's boot, as its first process; it becomes its init. */
export function guestScript(node: LabNode, accelerator: Accelerator): string {
  return script([
    "exec < /dev/null",
    "export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...[...guestMounts, ...guestNetwork(node)].map(commandLine),
    ...(accelerator === "tcg" ? [`${commandLine(ticker)} &`] : []),
    `echo $$ > /sys/fs/cgroup/${leaf}/cgroup.procs`,
    "exec /usr/bin/tini -s -- /usr/sbin/sshd -D -e",
  ]);
}

/**
 * QEMU lets an emulated processor's TLB grow only when the guest flushes it, as it does between two processes: one that runs
 * alone keeps a small one, and writes memory four to nine times as slowly as after a switch (docs/decisions.md).
 */
const ticker: Argv = ["perl", "-e", "select(undef, undef, undef, 0.01) while 1"];

const guestMounts: readonly Argv[] = [
  ["mkdir", "-p", "/dev/pts", "/dev/shm"],
  ...systemMounts("").filter((argv) => !argv.includes("devtmpfs")),
  ["mount", "-t", "cgroup2", "cgroup", "/sys/fs/cgroup"],
  ["mkdir", `/sys/fs/cgroup/${leaf}`],
  ["mkdir", "-p", ...Object.values(ownDirectories)],
];

const guestNetwork = (node: LabNode): Argv[] => [
  ["hostname", node.name],
  ["modprobe", "-a", "virtio_net", "tun", "loop"],
  ["ip", "link", "set", "dev", "lo", "up"],
  ["ip", "addr", "add", `${node.address}/24`, "dev", "eth0"],
  ["ip", "addr", "add", `${backGuest(node)}/30`, "dev", "eth0"],
  ["ip", "link", "set", "dev", "eth0", "up"],
];

/** The script that starts a machine from outside: in the node's cgroups and its network. */
export function machineLaunchScript(state: LabState, node: LabNode, groups: readonly string[]): string {
  const enter = groups.map((group) => `echo $$ > '${group}/cgroup.procs'`);
  const network = ["nsenter", `--net=${namespaceFile(state, node.name)}`];
  const unshare = ["unshare", "--mount", "--propagation", "private", "sh", `${node.dir}/machine.sh`];
  return script([...enter, `exec ${commandLine([...network, ...unshare])}`]);
}
