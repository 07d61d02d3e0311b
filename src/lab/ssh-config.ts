import { writeAtomically } from "./files.js";
import { identityFile, knownHosts } from "./keys.js";
import type { LabState } from "./state.js";

/** What plain `ssh -F` and fastmig read: each node by its name, its host key verified. */
export function sshConfig(state: LabState): string {
  const blocks = state.nodes.map((node) =>
    [`Host ${node.name}`, `  HostName ${node.address}`, ""].join("\n"),
  );
  const common = [
    "Host *",
    "  User root",
    `  IdentityFile "${identityFile(state.dir)}"`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile "${state.dir}/known_hosts"`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking yes",
    "  LogLevel ERROR",
    "",
  ];
  return `${blocks.join("\n")}\n${common.join("\n")}`;
}

/** The `nodes:` part of a plan; FASTMIG_SSH_CONFIG or `--ssh-config` names the ssh_config that knows the aliases. */
export function nodesSnippet(state: LabState): string {
  return `nodes:\n${state.nodes.map((node) => `  ${node.name}: { ssh: ${node.name} }\n`).join("")}`;
}

export async function writeAccess(state: LabState): Promise<void> {
  await writeAtomically(`${state.dir}/known_hosts`, await knownHosts(state));
  await writeAtomically(state.sshConfig, sshConfig(state));
  await writeAtomically(`${state.dir}/nodes.yaml`, nodesSnippet(state));
}
