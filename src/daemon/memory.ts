import { readIfThere } from "./durable.js";

export interface MemoryFacts {
  /** Bytes; null where the container has no limit. */
  cgroupLimit: number | null;
  cgroupUsed: number;
  hostAvailable: number;
}

/** As the container sees its own cgroup: version 2, or version 1 with its controllers mounted one by one. */
const limitFiles = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const usedFiles = ["/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"];

/** Version 1 says "no limit" with a number near 2^63. */
const unlimited = 2 ** 60;

async function firstNumber(files: readonly string[]): Promise<number | undefined> {
  for (const file of files) {
    const text = await readIfThere(file);
    if (text !== undefined) return text.trim() === "max" ? Infinity : Number(text);
  }
  return undefined;
}

export async function memoryFacts(): Promise<MemoryFacts> {
  const limit = (await firstNumber(limitFiles)) ?? Infinity;
  const meminfo = (await readIfThere("/proc/meminfo")) ?? "";
  return {
    cgroupLimit: limit < unlimited ? limit : null,
    cgroupUsed: (await firstNumber(usedFiles)) ?? 0,
    hostAvailable: Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024,
  };
}

/** Bytes that the container may still take. */
export function headroom(facts: MemoryFacts): number {
  const inCgroup = facts.cgroupLimit === null ? Infinity : facts.cgroupLimit - facts.cgroupUsed;
  return Math.max(0, Math.min(inCgroup, facts.hostAvailable));
}
