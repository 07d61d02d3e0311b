import { setTimeout as pause } from "node:timers/promises";
import { type NodeName, type Stage } from "../test/support/stage.js";
import { row, type Row } from "./figures.js";
import { Mover } from "./ours.js";

const settle = 5000;
const file = "/run/bench-daemon";

/** The daemon's resident memory, idle and while it ships or receives 1 GB, as the nodes' kernels count it. */
export async function daemonMemoryRows(stage: Stage): Promise<Row[]> {
  const mover = await Mover.start(stage, 1000);
  await pause(settle);
  const idle = Number(await stage.on("a", "sh", "-c", readField(mover.cast.name, "VmRSS")));
  const watches = (["a", "b"] as const).map((node) => ({ node, ended: watch(stage, node, mover.cast.name) }));
  await mover.move("direct");
  for (const node of ["a", "b"] as const) await stage.on(node, "touch", `${file}.stop`);
  const [ships = NaN, receives = NaN] = await Promise.all(watches.map(({ ended }) => ended));
  return [
    row("daemon, idle (VmRSS)", megabytes(idle), "MB", 75),
    row("daemon, ships 1 GB (VmHWM)", megabytes(ships), "MB", 120),
    row("daemon, receives 1 GB (VmHWM)", megabytes(receives), "MB", 120),
  ];
}

/** The kernel's kB are KiB. */
const megabytes = (kib: number): number => (kib * 1024) / 1e6;

/** A shell's words for a field of the daemon's /proc/PID/status; the daemon is the child of the container's init. */
function readField(service: string, field: string): string {
  const init = `$(podman inspect --format '{{.State.Pid}}' ${service} 2>/dev/null)`;
  return `pid=$(pgrep -P "${init}" -f daemon.mjs) && awk '/^${field}:/ { print $2 }' /proc/$pid/status`;
}

/** The greatest VmHWM until the stop file is there: the source's daemon is gone before the migration ends. */
async function watch(stage: Stage, node: NodeName, service: string): Promise<number> {
  const loop = `rm -f ${file}.stop; most=0
while [ ! -e ${file}.stop ]; do
  now=$(${readField(service, "VmHWM")} 2>/dev/null) && [ "\${now:-0}" -gt "$most" ] && most=$now
  sleep 0.1
done; rm -f ${file}.stop; echo $most`;
  return Number(await stage.on(node, "sh", "-c", loop));
}
