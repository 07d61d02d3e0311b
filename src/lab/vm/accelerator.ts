import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../files.js";
import { cacheDir } from "../paths.js";
import type { Say } from "../root.js";
import { attempt, confined } from "../run.js";
import type { Machine } from "../state.js";
import { exists } from "../cache.js";
import { confinedQemu, stage } from "./confine.js";
import { processorArgv, type Accelerator } from "./qemu.js";

type Files = Pick<Machine, "qemu" | "kernel">;

/** Milliseconds for a kernel to find that it has no disk; with KVM it takes one second. */
const patience = 15_000;

/**
 * KVM where it really runs a kernel, else emulation. /dev/kvm alone proves nothing: many machines that are
 * themselves virtual have one that runs no guest. The answer is kept until this machine's next boot.
 */
export async function accelerate(files: Files, say: Say): Promise<Accelerator> {
  if (!(await exists("/dev/kvm"))) return "tcg";
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const known = join(cacheDir(), "accelerator.json");
  const text = await readFile(known, "utf8").catch(() => "");
  const answer = keptAnswer(text, boot) ?? ((await bootsUnderKvm(files)) ? "kvm" : "tcg");
  if (text === "" || keptAnswer(text, boot) === undefined) {
    say(answer === "kvm" ? "KVM works here" : "KVM does not work here: machines are emulated");
    await writeAtomically(known, JSON.stringify({ boot, answer }));
  }
  return answer;
}

/** Pure: what was found since this machine's last boot. */
export function keptAnswer(text: string, boot: string): Accelerator | undefined {
  const match = /^\{"boot":"([^"]+)","answer":"(kvm|tcg)"\}$/.exec(text.trim());
  if (match?.[1] !== boot) return undefined;
  return match[2] === "kvm" ? "kvm" : "tcg";
}

/** A kernel without a disk panics at the end of its boot, and says so on its console. */
async function bootsUnderKvm({ qemu, kernel }: Files): Promise<boolean> {
  const machine = ["-machine", "q35", "-m", "256M", "-nodefaults", "-display", "none", "-serial", "stdio"];
  const words = ["-append", "console=ttyS0 panic=-1", "-no-reboot", "-monitor", "none"];
  const argv = [
    // One that hangs outlives whoever waits for it: as another user it is not told of the death of its parent.
    ...["timeout", "--signal=KILL", String(patience / 1000), "qemu-system-x86_64"],
    ...processorArgv("kvm"),
    ...machine,
    "-kernel",
    `${stage}/kernel`,
    ...words,
  ];
  const confinement = { root: qemu, files: { kernel }, writable: [], accelerator: "kvm" as const };
  const ended = await attempt(confined(["sh", "-c", confinedQemu(confinement, argv)]), {
    timeout: 2 * patience,
  });
  return ended.ok && ended.stdout.includes("Unable to mount root fs");
}
