import { commandLine, type Argv } from "../argv.js";
import { groupMount, isVersion1, type Hierarchy } from "./cgroups.js";
import { namespaceFile } from "./namespaces.js";
import type { LabNode, LabState } from "./state.js";

/** Directories of a node that are no overlay: CRIU cannot dump what runs from an overlay on an overlay. */
export const ownDirectories: Readonly<Record<string, string>> = {
  containers: "/var/lib/containers",
  fastmig: "/var/lib/fastmig",
};

/**
 * The script that starts a node from outside: it enters the node's cgroups first, so that the cgroup
 * namespace made next has its root there. Not `ip netns exec`: that hides the cgroup mounts Podman needs.
 */
export function launchScript(state: LabState, node: LabNode, groups: readonly string[]): string {
  const enter = groups.map((group) => `echo $$ > '${group}/cgroup.procs'`);
  const network = ["nsenter", `--net=${namespaceFile(state, node.name)}`];
  const unshare = [
    "unshare",
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--cgroup",
    ...clocks(node),
    "--fork",
    "sh",
    `${node.dir}/boot.sh`,
  ];
  return script([...enter, `exec ${commandLine([...network, ...unshare])}`]);
}

/** Clocks that count from a boot of the node's own. */
function clocks({ uptime }: LabNode): Argv {
  if (uptime === undefined || uptime === 0) return [];
  const seconds = String(Math.round(uptime / 1000));
  return ["--time", "--monotonic", seconds, "--boottime", seconds];
}

/** The script that runs as the node's first process and becomes its init. */
export function bootScript(root: string, node: LabNode, all: readonly Hierarchy[]): string {
  const at = `${node.dir}/root`;
  return script([
    ...[...overlayMounts(root, node), ...systemMounts(at), ...groupMounts(at, all)].map(commandLine),
    joinLeaves(all.map((each) => `${at}${groupMount(each, all)}`)),
    commandLine(["hostname", node.name]),
    ...enterRoot(at),
    "exec /usr/bin/tini -s -- /usr/sbin/sshd -D -e",
  ]);
}

export const script = (lines: readonly string[]): string => `set -eu\n${lines.join("\n")}\n`;

export function overlayMounts(root: string, node: Pick<LabNode, "dir">): Argv[] {
  const { dir } = node;
  const layers = `lowerdir=${layer(root)},upperdir=${layer(`${dir}/upper`)},workdir=${layer(`${dir}/work`)}`;
  return [
    ["mount", "--make-rprivate", "/"],
    ["mount", "-t", "overlay", "overlay", "-o", layers, `${dir}/root`],
    ...Object.entries(ownDirectories).flatMap(([own, path]) => [
      ["mkdir", "-p", `${dir}/${own}`, `${dir}/root${path}`],
      ["mount", "--bind", `${dir}/${own}`, `${dir}/root${path}`],
    ]),
  ];
}

/** Overlay's own escapes: a colon separates layers, a comma options. */
const layer = (path: string): string => path.replaceAll(/[\\:,]/g, "\\$&");

export function systemMounts(at: string): Argv[] {
  const fresh = (type: string, path: string, options: string): Argv => [
    "mount",
    "-t",
    type,
    "-o",
    options,
    type,
    `${at}${path}`,
  ];
  return [
    fresh("proc", "/proc", "nosuid,nodev,noexec"),
    fresh("sysfs", "/sys", "nosuid,nodev,noexec"),
    fresh("devtmpfs", "/dev", "nosuid"),
    fresh("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=620,gid=5"),
    fresh("tmpfs", "/dev/shm", "nosuid,nodev"),
    fresh("tmpfs", "/run", "nosuid,nodev,mode=755"),
    ["mkdir", "-p", `${at}/run/sshd`, `${at}/run/lock`],
  ];
}

function groupMounts(at: string, all: readonly Hierarchy[]): Argv[] {
  const top: Argv[] = isVersion1(all)
    ? [["mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", `${at}/sys/fs/cgroup`]]
    : [];
  return [
    ...top,
    ...all.flatMap((each): Argv[] => {
      const path = `${at}${groupMount(each, all)}`;
      const make: Argv[] = isVersion1(all) ? [["mkdir", path]] : [];
      const kind = each.options === null ? ["-t", "cgroup2"] : ["-t", "cgroup", "-o", each.options];
      return [...make, ["mount", ...kind, "cgroup", path]];
    }),
  ];
}

/** The group of everything in a node that is in no container. */
export const leaf = "init";

/** A version 1 cpuset starts empty and takes no process so. */
const joinLeaves = (mounts: readonly string[]): string => `\
for group in ${commandLine(mounts)}; do
  mkdir -p "$group/${leaf}"
  for file in cpuset.cpus cpuset.mems; do
    [ ! -e "$group/${leaf}/$file" ] || cat "$group/$file" > "$group/${leaf}/$file"
  done
  echo $$ > "$group/${leaf}/cgroup.procs"
done`;

/** From here on only the new root's programs are there; the old root's mounts go away with it. */
export function enterRoot(at: string): string[] {
  return [
    `cd ${commandLine([at])}`,
    "pivot_root . mnt",
    "cd /",
    "/usr/bin/umount -l /mnt",
    "exec < /dev/null",
    "unset -v XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_STATE_HOME",
    "export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ];
}
