import { dirname } from "node:path";

/** Where everything of one service lies: on its node and, under the same paths, in its container. */
export interface ServicePaths {
  /** Sockets; gone after a reboot. 0700, the SSH user's. */
  runtime: string;
  /** Journals, verdicts, tombstones; on a disk. */
  state: string;
  daemonSocket: string;
  /** Where the relay listens at the source. */
  peerSocket: string;
}

/** `system`: root's Podman, also by sudo. `rootless`: a user's own, under their XDG directories. */
export type NodeKind = { kind: "system" } | { kind: "rootless"; runtimeHome: string; stateHome: string };

export function servicePaths(service: string, node: NodeKind = { kind: "system" }): ServicePaths {
  const system = node.kind === "system";
  const runtime = `${system ? "/run" : node.runtimeHome}/fastmig/${service}`;
  const state = `${system ? "/var/lib" : node.stateHome}/fastmig/${service}`;
  return { runtime, state, daemonSocket: `${runtime}/daemon.sock`, peerSocket: `${runtime}/peer.sock` };
}

/**
 * The commands that make them. The runtime directory is the SSH user's, so that who can log in as that user may drive the daemon,
 * and nobody else can; the state directory stays with whom the commands run as.
 */
export function makeDirectories(paths: ServicePaths, user: string): string[][] {
  return [
    ["install", "-d", "-m", "0700", "-o", user, "--", paths.runtime],
    // Inside, the service's user passes to its migration's directory: on the node nobody may come that far.
    ["install", "-d", "-m", "0700", "--", dirname(paths.state), paths.state],
  ];
}
