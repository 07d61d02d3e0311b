import { readFile } from "node:fs/promises";
import type { LabState } from "./state.js";

/** Files that `up` writes over the root file system of every node. */
export function nodeFiles(state: LabState, limits: Limits, version1: boolean): Record<string, string> {
  return {
    "etc/hosts": hosts(state),
    "etc/ssh/sshd_config.d/lab.conf": sshd,
    "etc/sudoers.d/ops": sudoers,
    ...engineFiles(limits, version1),
  };
}

/** How Podman runs in a node, and in the builder. */
export function engineFiles(limits: Limits, version1: boolean): Record<string, string> {
  return {
    "etc/containers/containers.conf": containersConf(limits, version1),
    "etc/containers/storage.conf": storageConf,
  };
}

const sshd = `\
HostKey /etc/ssh/lab_host_ed25519_key
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxSessions 100
AllowStreamLocalForwarding yes
StreamLocalBindUnlink yes
SetEnv PODMAN_IGNORE_CGROUPSV1_WARNING=1
`;

const sudoers = `\
Defaults env_keep += PODMAN_IGNORE_CGROUPSV1_WARNING
ops ALL=(ALL:ALL) NOPASSWD: ALL
`;

const storageConf = `\
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

function hosts(state: LabState): string {
  const nodes = state.nodes.map((node) => `${node.address} ${node.name}`);
  return [
    "127.0.0.1 localhost",
    `${state.controller.address} controller`,
    `${state.client.address} client`,
    ...nodes,
    "",
  ].join("\n");
}

/** Hard limits of this machine that a node cannot raise without CAP_SYS_RESOURCE. */
export interface Limits {
  nofile: string;
  nproc: string;
}

/** Pure: reads the text of /proc/self/limits. */
export function parseLimits(text: string): Limits {
  const hard = (name: string): string =>
    new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, "m").exec(text)?.[1] ?? "unlimited";
  const number = (value: string): string => (value === "unlimited" ? "1048576" : value);
  return { nofile: number(hard("Max open files")), nproc: number(hard("Max processes")) };
}

export async function machineLimits(): Promise<Limits> {
  return parseLimits(await readFile("/proc/self/limits", "utf8"));
}

/** There is no systemd in a node; runc, because crun refuses hybrid cgroups. */
function containersConf({ nofile, nproc }: Limits, version1: boolean): string {
  return `\
[containers]
default_ulimits = ["nofile=${nofile}:${nofile}", "nproc=${nproc}:${nproc}"]
log_driver = "k8s-file"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "${version1 ? "runc" : "crun"}"
`;
}
