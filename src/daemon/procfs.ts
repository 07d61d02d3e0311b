/** What /proc says about processes. Reading it races with their death: whatever is gone is left out. */
import type { ProcessInfo } from "./api.js";
import { clockLibrary } from "./clocks.js";
import { readLink, readNames, readText } from "./at-once.js";

export interface ProcessStat {
  pid: number;
  parent: number;
  /** The PID of the session's leader, who may have ended. */
  session: number;
  /** One letter: R, S, D, Z (dead, not reaped), T, X. */
  state: string;
  /** Clock ticks since boot: tells one bearer of a PID from the next. */
  startTicks: number;
}

/** Fields of /proc/PID/stat from the third on; the name in field 2 may contain anything, so count from its closing bracket. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

export function parseStat(pid: number, text: string): ProcessStat {
  const fields = statFields(text);
  const number = (at: number): number => Number(fields[at]);
  return { pid, state: fields[0] ?? "X", parent: number(1), session: number(3), startTicks: number(19) };
}

/** Undefined where the process that a promise reads about is gone. */
export async function orGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw thrown;
  }
}

export async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await orGone(readText(`/proc/${pid}/stat`));
  return text === undefined ? undefined : parseStat(pid, text);
}

export interface ProcessId {
  pid: number;
  startTicks: number;
}

/**
 * Dead for good: no such process, another one with its PID, or a zombie in all its threads (its memory is gone, it executes
 * nothing). PID and start time name a process as surely as a pidfd, which Node cannot open.
 */
export async function isDead(process: ProcessId): Promise<boolean> {
  const stat = await readStat(process.pid);
  if (stat === undefined || stat.startTicks !== process.startTicks) return true;
  return hasEnded(stat.state) && !(await hasLivingThread(process.pid));
}

const hasEnded = (state: string): boolean => state === "Z" || state === "X";

/** A process whose first thread has ended is shown as a zombie while the others go on. */
async function hasLivingThread(pid: number): Promise<boolean> {
  for (const thread of await threadIds(pid)) {
    const text = await orGone(readText(`/proc/${pid}/task/${thread}/stat`));
    if (text !== undefined && !hasEnded(parseStat(thread, text).state)) return true;
  }
  return false;
}

/** Clock ticks of processor time that it has had, in user mode and in the kernel; 0 where it is gone. */
export async function processorTicks(pid: number): Promise<number> {
  const fields = statFields((await orGone(readText(`/proc/${pid}/stat`))) ?? "");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

const exiting = 0x4;
const sigkill = 1n << 8n;

/** On its way to death: it exits already (PF_EXITING), or SIGKILL waits for it. */
export async function isDying(pid: number): Promise<boolean> {
  const stat = await orGone(readText(`/proc/${pid}/stat`));
  const status = await orGone(readText(`/proc/${pid}/status`));
  if (stat === undefined || status === undefined) return true;
  const flags = Number(statFields(stat)[6]);
  const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s+([0-9a-f]+)$/gm)].map(([, mask]) =>
    BigInt(`0x${mask}`),
  );
  return (flags & exiting) !== 0 || pending.some((mask) => (mask & sigkill) !== 0n);
}

export async function allStats(): Promise<ProcessStat[]> {
  const pids = (await readNames("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(readStat));
  return stats.filter((stat) => stat !== undefined);
}

/** Our init, which adopts orphans: 1, or another PID where the container was given an init besides (`--init`). */
export const initPid = process.ppid;

/** The root and all that descend from it, parents first. */
export function treeOf(stats: readonly ProcessStat[], rootPid: number): ProcessStat[] {
  const root = stats.find((stat) => stat.pid === rootPid);
  if (root === undefined) return [];
  const children = stats.filter((stat) => stat.parent === rootPid && stat.pid !== rootPid);
  return [root, ...children.flatMap((child) => treeOf(stats, child.pid))];
}

export async function readTree(rootPid: number): Promise<ProcessStat[]> {
  return treeOf(await allStats(), rootPid);
}

async function threadIds(pid: number): Promise<number[]> {
  return ((await orGone(readNames(`/proc/${pid}/task`))) ?? []).map(Number);
}

/** Whether it holds a thread of anybody's by ptrace(2). */
export async function isTracing(pid: number): Promise<boolean> {
  for (const { pid: one } of await allStats())
    for (const thread of await threadIds(one)) {
      const status = await orGone(readText(`/proc/${one}/task/${thread}/status`));
      if (status !== undefined && statusNumber(status, "TracerPid") === pid) return true;
    }
  return false;
}

/** The highest PID or thread id among the processes. */
export async function highestId(pids: readonly number[]): Promise<number> {
  return Math.max(0, ...pids, ...(await Promise.all(pids.map(threadIds))).flat());
}

function statusNumber(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

/** Whether its program was started with the library that keeps the service's clocks. */
async function hasOwnClocks(pid: number): Promise<boolean> {
  const maps = await readText(`/proc/${pid}/maps`).catch(() => "");
  return maps.includes(`${clockLibrary}\n`);
}

export async function describeProcess(stat: ProcessStat): Promise<ProcessInfo | undefined> {
  const status = await orGone(readText(`/proc/${stat.pid}/status`));
  if (status === undefined) return undefined;
  return {
    pid: stat.pid,
    startTime: stat.startTicks,
    uid: statusNumber(status, "Uid"),
    rss: statusNumber(status, "VmRSS") * 1024,
    name: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? "",
    highestTid: Math.max(stat.pid, ...(await threadIds(stat.pid))),
    clocks: (await hasOwnClocks(stat.pid)) ? "virtual" : "host",
  };
}

/** Whether it is among the process's effective ones. */
export async function hasCapability(pid: number, capability: number): Promise<boolean> {
  const status = (await orGone(readText(`/proc/${pid}/status`))) ?? "";
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> BigInt(capability)) & 1n) === 1n;
}

/** Sizes of a process of its own, bytes. */
export async function memoryOf(pid: number): Promise<{ rss: number; peak: number }> {
  const status = (await orGone(readText(`/proc/${pid}/status`))) ?? "";
  return { rss: statusNumber(status, "VmRSS") * 1024, peak: statusNumber(status, "VmHWM") * 1024 };
}

/** Inodes of the pipes among a process's descriptors. */
export async function pipeInodes(pid: number): Promise<Set<number>> {
  const names = (await orGone(readNames(`/proc/${pid}/fd`))) ?? [];
  const targets = await Promise.all(names.map((name) => orGone(readLink(`/proc/${pid}/fd/${name}`))));
  const inodes = targets.map((target) => /^pipe:\[(\d+)\]$/.exec(target ?? "")?.[1]);
  return new Set(inodes.filter((inode) => inode !== undefined).map(Number));
}

/** Names one life of the container: its init's start time and the kernel's boot id. Every PID belongs to one life. */
export async function lifeId(): Promise<string> {
  const boot = (await readText("/proc/sys/kernel/random/boot_id")).trim();
  const init = await readStat(1);
  return `${boot}/${init?.startTicks ?? 0}`;
}
