import { readFile, readdir, readlink, stat } from "node:fs/promises";
import { errno } from "./files.js";
import { waitFor } from "../wait.js";

/** A process that cannot be mistaken for a later one with the same PID. */
export interface Process {
  pid: number;
  /** Clock ticks from boot to its start. */
  start: string;
}

/**
 * Every process inside a network namespace. This finds what a killed predecessor started too:
 * whatever lives in a lab's namespace is the lab's, whether anybody wrote its PID down or not.
 */
export async function processesIn(namespaceFile: string): Promise<Process[]> {
  const wanted = `net:[${(await stat(namespaceFile)).ino}]`;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await namespaceOf(pid)) === wanted ? identify(Number(pid)) : undefined)),
  );
  return found.filter((each) => each !== undefined);
}

async function namespaceOf(pid: string): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

/** The process as it is now; undefined when it has ended (a zombie has ended: its namespaces and files are gone). */
export async function identify(pid: number): Promise<Process | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const start = fields[19];
  return start === undefined || fields[0] === "Z" ? undefined : { pid, start };
}

async function isAlive(process: Process): Promise<boolean> {
  return (await identify(process.pid))?.start === process.start;
}

/**
 * Kills everything in the namespace and waits for its end. A node's first process takes its whole PID
 * namespace with it, containers in namespaces of their own included.
 */
export async function killAllIn(namespaceFile: string): Promise<void> {
  await waitFor(
    `the end of all processes in ${namespaceFile}`,
    async () => {
      const processes = await processesIn(namespaceFile);
      for (const each of processes) if (await isAlive(each)) kill(each.pid);
      await waitFor("their end", async () => ((await someAlive(processes)) ? undefined : true), {
        timeout: 10_000,
        interval: 10,
      });
      return processes.length === 0 ? true : undefined;
    },
    { timeout: 30_000, interval: 0 },
  );
}

async function someAlive(processes: readonly Process[]): Promise<boolean> {
  return (await Promise.all(processes.map(isAlive))).includes(true);
}

/** SIGKILL; a process that has ended meanwhile is none the worse. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if (errno(thrown) !== "ESRCH") throw thrown;
  }
}

/** A process in the namespace by what the kernel calls it: 15 characters of its program's name. */
export async function processNamed(namespaceFile: string, name: string): Promise<Process | undefined> {
  for (const each of await processesIn(namespaceFile)) {
    const comm = await readFile(`/proc/${each.pid}/comm`, "utf8").catch(() => "");
    if (comm.trim() === name) return each;
  }
  return undefined;
}

/** The first process of the node whose network namespace this is; undefined while the node is down. */
export async function initIn(namespaceFile: string): Promise<Process | undefined> {
  for (const each of await processesIn(namespaceFile)) if (await isInit(each.pid)) return each;
  return undefined;
}

/** `NSpid` lists a process's PIDs from our PID namespace inwards; a container's first process has one more. */
async function isInit(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^NSpid:\t\d+\t1$/m.test(status);
}
