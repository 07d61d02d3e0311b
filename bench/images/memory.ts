import { type Stage } from "../../test/support/stage.js";
import { startGoogle } from "../../test/support/stores/google-server.js";
import { bucket, startMoto } from "../../test/support/stores/servers.js";
import { Sleeper } from "./ours.js";

const file = "/run/bench-memory";

/**
 * Every 10 ms, what all processes of a container have resident beside its service: daemon, init, CRIU, its hook, the shards.
 */
const watcher = `import os, sys, time
container, stop = sys.argv[1], sys.argv[2]
most, of = 0, {}
def field(pid, name):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return line.split()[1]
    return "0"
while not os.path.exists(stop):
    total, now = 0, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cgroup") as cgroup:
                if container not in cgroup.read():
                    continue
            with open(f"/proc/{pid}/comm") as comm:
                name = comm.read().strip()
            if name.startswith("python"):
                continue
            rss = int(field(pid, "VmRSS"))
        except (OSError, IndexError):
            continue
        total += rss
        now[name] = now.get(name, 0) + rss
    if total > most:
        most, of = total, now
    time.sleep(0.01)
print(most, *(f"{name} {rss / 1024:.0f}" for name, rss in sorted(of.items())))
`;

export interface ExtraMemory {
  /** Bytes. */
  most: number;
  /** Which process had how much then, MiB. */
  said: string;
}

/** The most that a checkpoint needs beside the service's own memory. @param to an image's URL; without it, a directory on tmpfs. */
export async function extraMemory(stage: Stage, megabytes: number, to?: string): Promise<ExtraMemory> {
  const sleeper = await Sleeper.start(stage, megabytes);
  try {
    const id = await stage.on("a", "podman", "inspect", "--format", "{{.Id}}", sleeper.cast.name);
    await stage.on("a", "rm", "-f", `${file}.stop`);
    const watched = stage.on("a", "python3", "-c", watcher, id.trim(), `${file}.stop`);
    await sleeper.freeze("medium", true, to);
    await stage.on("a", "touch", `${file}.stop`);
    const [most, ...said] = (await watched).trim().split(" ");
    return { most: Number(most) * 1024, said: said.join(" ") };
  } finally {
    await sleeper.end();
  }
}

/** The same, into a bucket of a server on this machine. */
export async function extraMemoryToS3(stage: Stage, megabytes: number): Promise<ExtraMemory> {
  const server = await startMoto(stage.lab.controller.address);
  stage.env = server.access;
  try {
    return await extraMemory(stage, megabytes, `s3://${bucket}/image`);
  } finally {
    await server.stop();
  }
}

/** The same, with Google's. */
export async function extraMemoryToGoogle(stage: Stage, megabytes: number): Promise<ExtraMemory> {
  const server = await startGoogle(stage.lab.controller.address, [bucket]);
  stage.env = { STORAGE_EMULATOR_HOST: server.url };
  try {
    return await extraMemory(stage, megabytes, `gs://${bucket}/image`);
  } finally {
    await server.close();
  }
}
