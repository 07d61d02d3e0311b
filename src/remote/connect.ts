import type { Node } from "./node.js";
import { run } from "./run.js";

/** How a node is reached. */
export type NodeReach =
  /** `user` null: what the SSH configuration says, else whoever runs the program. */
  { kind: "host"; host: string; user: string | null; port: number } | { kind: "ssh"; alias: string };

export interface NodeSpec {
  name: string;
  reach: NodeReach;
  sudo: boolean;
  /** Where other nodes reach it; null: the host name that SSH connects to. */
  address: string | null;
}

export interface ConnectOptions {
  /** Stands for ~/.ssh/config and /etc/ssh/ssh_config, as `ssh -F` has it. */
  sshConfig?: string | undefined;
  /** Take and remember the host key of a host that nobody knows. */
  acceptNew?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a node by SSH and makes sure that sudo, where it is wanted, asks for no password.
 * Everything it throws that a user can meet has exit code 4; the signal's reason when aborted.
 */
export async function connectNode(spec: NodeSpec, options: ConnectOptions = {}): Promise<Node> {
  const node = await connectBySsh(spec, options);
  try {
    if (spec.sudo) await run(node, ["true"], { signal: options.signal });
    return node;
  } catch (thrown) {
    await node.close();
    throw thrown;
  }
}

/** Loaded when the first node is connected: ssh2 costs 40 ms of every start. */
async function connectBySsh(spec: NodeSpec, options: ConnectOptions): Promise<Node> {
  const [{ resolveTarget }, { dial }, { SshNode }] = await Promise.all([
    import("./ssh/resolve.js"),
    import("./ssh/dial.js"),
    import("./ssh/node.js"),
  ]);
  const { reach, name, sudo } = spec;
  const request = reach.kind === "host" ? reach : { host: reach.alias, user: null, port: null };
  const configFile = options.sshConfig || process.env["FASTMIG_SSH_CONFIG"] || undefined;
  const target = await resolveTarget(request, configFile);
  const { acceptNew = false, signal } = options;
  const connection = await dial(target, { node: name, configFile, acceptNew, signal });
  return new SshNode(connection, { name, sudo, address: spec.address ?? connection.hostName });
}
