import { constants, fstatSync, writeSync } from "node:fs";
import { join } from "node:path";
import { replaceText, withFile } from "./at-once.js";
import { createOnce, readIfThere, replaceDurably } from "./durable.js";

export type Verdict = "released" | "running" | "aborted";

export const verdictFile = (directory: string): string => join(directory, "verdict");

/** A hook in the container reads it as the service's user. */
const readable = 0o644;

export async function readVerdict(directory: string): Promise<Verdict | null> {
  const text = await readIfThere(verdictFile(directory));
  return text === undefined ? null : parseVerdict(text);
}

function parseVerdict(text: string): Verdict {
  const verdict = text.trim();
  if (verdict === "released" || verdict === "running" || verdict === "aborted") return verdict;
  throw new Error(`the verdict file says ${JSON.stringify(text)}`);
}

const readyFile = (directory: string, verdict: Verdict): string => join(directory, `${verdict}.ready`);

/** Flushes now what `decide` would have to flush first: in a freeze that is downtime. */
export async function prepareVerdict(directory: string, verdict: Verdict): Promise<void> {
  await replaceDurably(readyFile(directory, verdict), `${verdict}\n`, readable);
}

/** Creates the verdict where there is none yet, and answers the one that stands. */
export async function decide(directory: string, verdict: Verdict): Promise<Verdict> {
  // Looked at first: on a full disk the one that stands can still be obeyed.
  const first = await readVerdict(directory);
  if (first !== null) return first;
  const content = `${verdict}\n`;
  if (await createOnce(verdictFile(directory), content, readable, readyFile(directory, verdict))) {
    await wakeHook(directory).catch(() => undefined);
    return verdict;
  }
  const standing = await readVerdict(directory);
  if (standing === null) throw new Error("the verdict file vanished");
  return standing;
}

/** Rejects where no hook waits. It looks by itself too, every 20 ms. */
function wakeHook(directory: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  return withFile(join(directory, ".wake"), flags, 0, async (fd) => {
    // The directory belongs to the service's user.
    if (fstatSync(fd).isFIFO()) writeSync(fd, ".");
  });
}

/**
 * Lets the hook wait for `endsIn` more milliseconds. It compares nanoseconds of CLOCK_BOOTTIME, which nobody sets.
 * Not flushed: a lease ends with the kernel that holds the frozen tree.
 */
export async function setLease(directory: string, endsIn: number): Promise<void> {
  const uptime = Number((await readIfThere("/proc/uptime"))?.split(" ")[0]);
  const end = BigInt(Math.round((uptime * 1000 + endsIn) * 1e6));
  await replaceText(join(directory, "lease"), `${end}\n`, readable);
}

export const heldFile = (directory: string): string => join(directory, "held");
