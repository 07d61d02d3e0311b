import { type Packet } from "../../test/support/workloads/packets.js";

/** Longer than this between two packets, and the client notices: the seed's server sends one a second. */
const noticeable = 2000;

/** Milliseconds of the longest time between two packets, beyond the second that lies between any two. */
export function downtimeOf(packets: readonly Packet[]): number {
  return Math.max(0, ...gaps(packets)) - 1000;
}

/** The client's list, as the seed's README shows it. */
export function listed(packets: readonly Packet[]): string {
  const between = gaps(packets);
  const lines = packets.map(({ number, at }, index) => {
    const line = `[${number}] ${timeOfDay(at)}`;
    return (between[index - 1] ?? 0) > noticeable ? `${line}    <- Downtime` : line;
  });
  return ["Start sending packets...", "Format: [id] time", ...lines].join("\n");
}

/** Numbers that did not come, or came twice: a memory that went back would send one again. */
export function irregular(packets: readonly Packet[]): number[] {
  return packets.flatMap(({ number }, index) => {
    const before = packets[index - 1];
    return before === undefined || number === before.number + 1 ? [] : [number];
  });
}

function gaps(packets: readonly Packet[]): number[] {
  return packets.slice(1).map(({ at }, index) => at - (packets[index]?.at ?? at));
}

function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
