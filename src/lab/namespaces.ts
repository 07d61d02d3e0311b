import { mkdir, readFile, rm, rmdir, statfs, writeFile } from "node:fs/promises";
import type { Argv } from "../argv.js";
import { labsDirectory } from "./paths.js";
import { killAllIn } from "./processes.js";
import { attempt, run } from "./run.js";

/** statfs(2)'s type of a namespace file. */
const NSFS = 0x6e736673;

export type Namespaces = { namespaces: string };

/** The file that keeps a network namespace of the lab alive. `switch` and `client` are no nodes. */
export const namespaceFile = (lab: Namespaces, name: string): string => `${lab.namespaces}/${name}`;

/** A command of this machine inside a network namespace only. */
export const inNetwork = (lab: Namespaces, name: string, argv: Argv): Argv => [
  "nsenter",
  `--net=${namespaceFile(lab, name)}`,
  ...argv,
];

/** Makes the namespace unless it is there. Not `ip netns`: that leaves a mount on /run/netns for good. */
export async function ensureNamespace(lab: Namespaces, name: string): Promise<void> {
  const file = namespaceFile(lab, name);
  if (await isNamespace(file)) return;
  await mkdir(lab.namespaces, { recursive: true });
  await writeFile(file, "");
  await run(["unshare", `--net=${file}`, "true"]);
  await run(inNetwork(lab, name, ["ip", "link", "set", "dev", "lo", "up"]));
}

/** A file without its namespace is what a reboot or a killed `up` leaves. */
export async function isNamespace(file: string): Promise<boolean> {
  const found = await statfs(file).catch(() => undefined);
  return found?.type === NSFS;
}

/** Ends everything in the namespace and removes it; its links go with it. */
export async function removeNamespace(lab: Namespaces, name: string): Promise<void> {
  const file = namespaceFile(lab, name);
  while (await isNamespace(file)) {
    await killAllIn(file);
    await run(["umount", file]);
  }
  await rm(file, { force: true });
}

export async function removeNamespaceDirectory(lab: Namespaces): Promise<void> {
  await rm(lab.namespaces, { recursive: true, force: true });
  await rmdir(labsDirectory).catch(() => undefined);
}

/** Whether the command succeeds inside the namespace. */
export async function succeedsIn(lab: Namespaces, name: string, argv: Argv): Promise<boolean> {
  return (await attempt(inNetwork(lab, name, argv))).ok;
}

const groundFile = (directory: string): string => `${directory}/.root`;

/** Notes beside the namespaces which root file system the lab stands on, for whoever would remove it. */
export async function noteGround(lab: Namespaces, root: string): Promise<void> {
  await mkdir(lab.namespaces, { recursive: true });
  await writeFile(groundFile(lab.namespaces), root);
}

/** The root file system of the lab whose namespaces these are; empty where it is not known. */
export function groundOf(directory: string): Promise<string> {
  return readFile(groundFile(directory), "utf8").catch(() => "");
}
