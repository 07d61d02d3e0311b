import { program } from "./fastmig.js";
import type { NodeName, Stage } from "./stage.js";

/** Copies what a directory of the one node holds into the same of the other. */
export async function bring(stage: Stage, directory: string, from: NodeName, to: NodeName): Promise<void> {
  const on = (node: NodeName): string => `ssh -F ${stage.lab.sshConfig} ${node}`;
  const pipe = `${on(from)} tar -C ${directory} -cf - . | ${on(to)} tar -C ${directory} -xf -`;
  const { exit, stderr } = await program("sh", ["-c", pipe]);
  if (exit !== 0) throw new Error(`${pipe}\n${stderr}`);
}
