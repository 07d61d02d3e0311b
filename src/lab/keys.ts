import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeTree } from "./files.js";
import { run } from "./run.js";
import type { LabNode, LabState } from "./state.js";

/** The private key that logs in on every node, as root and as `ops`. */
export const identityFile = (dir: string): string => join(dir, "keys/id_ed25519");

export const hostKeyFile = (dir: string, node: string): string => join(dir, `keys/${node}_host_ed25519`);

export async function ensureKeys(state: LabState): Promise<void> {
  await mkdir(join(state.dir, "keys"), { recursive: true, mode: 0o700 });
  await ensureKey(identityFile(state.dir), `fastmig lab ${state.name}`);
  for (const node of state.nodes) await ensureKey(hostKeyFile(state.dir, node.name), node.name);
}

/** The private half is renamed last: a pair that a killed `up` left half is made anew. */
async function ensureKey(file: string, comment: string): Promise<void> {
  if (
    await access(file).then(
      () => true,
      () => false,
    )
  )
    return;
  const beside = `${file}.new`;
  await rm(beside, { force: true });
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", beside]);
  await rename(`${beside}.pub`, `${file}.pub`);
  await rename(beside, file);
}

/** Writes what makes a node itself below its root: name, host key, who may log in. */
export async function writeIdentity(state: LabState, node: LabNode, root: string): Promise<void> {
  await writeTree(root, {
    "etc/hostname": `${node.name}\n`,
    "etc/ssh/lab_authorized_keys": await readFile(`${identityFile(state.dir)}.pub`, "utf8"),
  });
  const key = await readFile(hostKeyFile(state.dir, node.name), "utf8");
  await writeTree(root, { "etc/ssh/lab_host_ed25519_key": key }, 0o600);
}

export async function knownHosts(state: LabState): Promise<string> {
  const lines = state.nodes.map(async (node) => {
    const key = await readFile(`${hostKeyFile(state.dir, node.name)}.pub`, "utf8");
    return `${node.name},${node.address} ${key.split(" ").slice(0, 2).join(" ").trim()}\n`;
  });
  return (await Promise.all(lines)).join("");
}
