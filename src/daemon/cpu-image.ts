/** What CRIU says of this processor, and whether it can what another one says of itself. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CpuCheckResult, CpuImage } from "./api.js";
import { tail } from "./command.js";
import type { Engine } from "./engine.js";
import type { DaemonPaths } from "./paths.js";

interface Deps {
  engine: Engine;
  paths: DaemonPaths;
}

export async function cpuDump({ engine, paths }: Deps): Promise<CpuImage> {
  return inTemporary(paths.images, async (directory) => {
    const { code, output } = await engine.cpuDump(directory);
    if (code !== 0) throw new Error(`criu cpuinfo dump ended with ${code}: ${tail(output, 3).join("; ")}`);
    return { image: await readFile(join(directory, "cpuinfo.img"), "base64") };
  });
}

export async function cpuCheck({ engine, paths }: Deps, image: CpuImage): Promise<CpuCheckResult> {
  return inTemporary(paths.images, async (directory) => {
    await writeFile(join(directory, "cpuinfo.img"), Buffer.from(image.image, "base64"));
    const { code, output } = await engine.cpuCheck(directory);
    return { ok: code === 0, log: tail(output) };
  });
}

async function inTemporary<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(parent, "cpu-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
