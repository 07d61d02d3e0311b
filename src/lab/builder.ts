import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { commandLine, type Argv } from "../argv.js";
import { enterRoot, overlayMounts, systemMounts } from "./boot.js";
import { hierarchies, isVersion1 } from "./cgroups.js";
import { writeTree } from "./files.js";
import { withLock } from "./lock.js";
import { engineFiles, machineLimits } from "./node-files.js";
import { cacheDir } from "./paths.js";
import { confined, run } from "./run.js";

/** How long another build may hold the builder, in milliseconds. */
const patience = 20 * 60_000;

/** What the base image is called where a Dockerfile says `FROM`. */
export const baseName = "localhost/debian:trixie-slim";

export interface Build {
  root: string;
  base: string;
  on: { id: string; archive: string } | undefined;
  tag: string;
  args: Readonly<Record<string, string>>;
  /** Holds `context/` and `Dockerfile`; `image.tar` and `id` are written beside them. */
  exchange: string;
}

/**
 * Runs `podman build` in the lab's root, with a mount namespace of its own, this machine's network (apt must
 * reach a mirror) and storage that stays: unchanged layers are not built again.
 */
export async function build(what: Build): Promise<void> {
  const dir = join(cacheDir(), "builder");
  await withLock(dir, patience, async () => {
    for (const name of ["upper", "work", "root"]) {
      await rm(join(dir, name), { recursive: true, force: true });
      await mkdir(join(dir, name), { recursive: true });
    }
    await writeTree(join(dir, "upper"), engineFiles(await machineLimits(), isVersion1(await hierarchies())));
    const script = join(dir, "build.sh");
    await writeFile(script, builderScript(what, dir));
    await run(confined(["sh", script]));
    await rename(join(what.exchange, "image.tar.part"), join(what.exchange, "image.tar"));
  });
}

function builderScript(what: Build, dir: string): string {
  const at = `${dir}/root`;
  const bind = (from: string, to: string): Argv[] => [
    ["touch", `${at}${to}`],
    ["mount", "--bind", from, `${at}${to}`],
  ];
  const mounts = [
    ...overlayMounts(what.root, { dir }),
    ...systemMounts(at),
    ["mount", "--rbind", "/sys/fs/cgroup", `${at}/sys/fs/cgroup`],
    ["mount", "--bind", what.exchange, `${at}/srv`],
    ...["/etc/resolv.conf", "/etc/hosts"].flatMap((file) => bind(file, file)),
    ...bind(what.base, "/srv/base.tar"),
    ...(what.on === undefined ? [] : bind(what.on.archive, "/srv/on.tar")),
  ];
  return ["set -eu", ...mounts.map(commandLine), ...enterRoot(at), ...buildCommands(what), ""].join("\n");
}

/** chroot isolation: it needs no cgroups and no network of its own. */
export function buildCommands({ base, on, tag, args }: Omit<Build, "root" | "exchange">): string[] {
  const imported = `localhost/lab-base:${basename(base, ".tar")}`;
  const buildArgs = Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const options = ["--isolation=chroot", "--network=host", "--layers", "--pull=never", ...buildArgs];
  return [
    "export PODMAN_IGNORE_CGROUPSV1_WARNING=1",
    `podman image exists ${imported} || ${commandLine(["podman", "import", "-q", "-c", 'CMD ["bash"]', "/srv/base.tar", imported])}`,
    commandLine(["podman", "tag", imported, baseName]),
    ...(on === undefined ? [] : [`podman image exists ${on.id} || podman load -q -i /srv/on.tar`]),
    commandLine(["podman", "build", ...options, "-t", tag, "-f", "/srv/Dockerfile", "/srv/context"]),
    commandLine(["podman", "image", "inspect", "--format", "{{.Id}}", tag]) + " > /srv/id",
    "podman image prune --force > /dev/null",
    commandLine(["podman", "save", "-q", "--format", "docker-archive", "-o", "/srv/image.tar.part", tag]),
  ];
}
