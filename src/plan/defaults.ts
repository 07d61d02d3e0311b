/** What a key that is not written stands for, as it would be written. */
export const defaults = {
  sshPort: 22,
  engine: "podman",
  healthTimeout: "10s",
  healthInterval: "250ms",
  strategy: "stop-and-copy",
  rounds: "auto",
  onDivergence: "switch",
  onUnsupported: "abort",
  deadline: "5m",
  lease: "10s",
  transfer: "auto",
  tcp: "close",
  parallel: 4,
  perNode: 2,
  onFailure: "stop",
  keepSource: "1h",
} as const;
