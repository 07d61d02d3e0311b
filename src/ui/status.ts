import chalk from "chalk";
import type { Unsettled } from "../migration/open-journals.js";
import type { Place } from "../migration/status.js";
import { formatSize } from "../units.js";
import { columns } from "./columns.js";

/** The table of `fastmig status`, and what is unsettled, with the command that settles it. */
export function statusText(places: readonly Place[], unsettled: readonly Unsettled[]): string {
  const rows = [["service", "node", "state", "epoch", "pid", "memory", ""], ...places.map(row)];
  const table = columns(rows).map((line, at) => paint(line, at === 0 ? null : (places[at - 1] ?? null)));
  return [...(places.length === 0 ? [] : table), ...unsettled.map(unsettledLine)].join("\n");
}

function row({ service, node, state, epoch, role, pid, memory, open, error }: Place): string[] {
  const seen = epoch === null ? "-" : `${epoch} ${role ?? ""}`;
  const note = open === null ? (error ?? "") : `migration ${open.id} to ${open.to}, by ${open.by}`;
  return [
    service,
    node,
    state,
    seen.trim(),
    pid === null ? "-" : String(pid),
    memory === null || memory === 0 ? "-" : formatSize(memory),
    note,
  ];
}

function paint(line: string, place: Place | null): string {
  if (place === null) return chalk.dim(line);
  if (place.state === "running") return chalk.green(line);
  return place.state === "held" || place.state === "unreachable" || place.state === "no daemon"
    ? chalk.yellow(line)
    : line;
}

const said: Record<Exclude<Unsettled["state"], "predumped">, string> = {
  begun: "not finished",
  "in doubt": "in doubt",
  unfinished: "not cleaned up",
};

function unsettledLine({ id, service, from, to, state, since }: Unsettled): string {
  const what = `migration ${id} (${service}: ${from} → ${to}, since ${since})`;
  if (state === "predumped")
    return `${what} is a predump: \`fastmig migrate PLAN\` goes on from it, \`fastmig abort ${id}\` removes it`;
  return chalk.yellow(`${what} is ${said[state]}: \`fastmig resume ${id}\``);
}
