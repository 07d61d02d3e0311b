/** What Prometheus asks for: https://prometheus.io/docs/instrumenting/exposition_formats. Pure. */
import type { Status } from "../../daemon/api.js";
import { sumOf } from "../../sum.js";

/** What was done since this daemon began. */
export interface Counts {
  checkpoints: { done: number; failed: number };
  restores: { done: number; failed: number };
}

type Sample = readonly [labels: string, value: number];

function metric(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `fastmig_${name}${labels} ${value}\n`);
  return `# HELP fastmig_${name} ${help}\n# TYPE fastmig_${name} ${type}\n${lines.join("")}`;
}

const outcomes = ({ done, failed }: Counts["checkpoints"]): Sample[] => [
  ['{outcome="done"}', done],
  ['{outcome="failed"}', failed],
];

export function prometheus(
  { service, tree, image, memory }: Status,
  { checkpoints, restores }: Counts,
): string {
  const states = ["standby", "running", "held", "ended"].map((state): Sample => [
    `{state="${state}"}`,
    service.state === state ? 1 : 0,
  ]);
  const bytes = sumOf(tree.map((process) => process.rss));
  const busy = image?.state === "working";
  return [
    metric("service_state", "gauge", "The state that the service is in.", states),
    metric("service_processes", "gauge", "Processes of the service.", [["", tree.length]]),
    metric("service_resident_bytes", "gauge", "Memory of the service's processes.", [["", bytes]]),
    metric("daemon_resident_bytes", "gauge", "Memory of the daemon.", [["", memory.daemonRss]]),
    metric("checkpoints_total", "counter", "Checkpoints by how they ended.", outcomes(checkpoints)),
    metric("restores_total", "counter", "Restores by how they ended.", outcomes(restores)),
    metric("operation_running", "gauge", "Whether a checkpoint or a restore is under way.", [
      ["", busy ? 1 : 0],
    ]),
    metric("operation_bytes", "gauge", "Bytes of memory that the last one has brought so far.", [
      ["", image?.bytes ?? 0],
    ]),
    metric("operation_frozen_seconds", "gauge", "How long the service stood still for the last one.", [
      ["", (image?.frozenMs ?? 0) / 1000],
    ]),
  ].join("");
}
