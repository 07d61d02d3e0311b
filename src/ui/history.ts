import chalk from "chalk";
import type { BothEnds } from "../migration/both-ends.js";
import type { PastMigration } from "../migration/history.js";
import type { Entry, Recorded } from "../migration/journal.js";
import { formatDuration } from "../units.js";
import { columns } from "./columns.js";

const said: Partial<Record<PastMigration["state"], string>> = {
  begun: "not finished",
  unfinished: "not cleaned up",
  predumped: "predump",
};

/** The table of `fastmig list`. */
export function historyText(migrations: readonly PastMigration[]): string {
  const rows = migrations.map(({ id, state, service, from, to, startedAt, blackoutMs, problem }) => [
    id,
    service,
    `${from} → ${to}`,
    startedAt?.replace(/\.\d+Z$/, "Z") ?? "?",
    blackoutMs === null ? "-" : formatDuration(blackoutMs),
    problem === null ? (said[state] ?? state) : `damaged: ${problem}`,
  ]);
  const head = ["migration", "service", "way", "begun", "blackout", "state"];
  return columns([head, ...rows])
    .map((line, at) => paint(line, migrations[at - 1]?.state ?? null))
    .join("\n");
}

function paint(line: string, state: PastMigration["state"] | null): string {
  if (state === null) return chalk.dim(line);
  return state === "done" || state === "rolled back" || state === "running" || state === "predumped"
    ? line
    : chalk.yellow(line);
}

type Words = { [K in Entry["kind"]]: (entry: Extract<Entry, { kind: K }>) => string };

const words: Words = {
  created: ({ service, from, to, epoch, plan, by, pid }) =>
    `begun by ${by} (pid ${pid}): ${service} from ${from} to ${to}, epoch ${epoch}, ${plan}`,
  step: ({ step, state, detail }) => `${step}: ${state}${detail === undefined ? "" : ` (${detail})`}`,
  undone: ({ step, found }) => `${step}: undone: ${found}`,
  made: ({ node, what, name }) =>
    what === "open" ? `opened on ${node}` : `made the ${what} ${name} on ${node}`,
  taken: ({ by, pid }) => `taken over by ${by} (pid ${pid})`,
  committed: () => "committed: the destination has the service",
  kept: ({ node, container, until }) => `${node} keeps ${container} until ${until}`,
  removed: ({ node, container }) => `${container} removed on ${node}`,
  cleared: ({ node }) => `its logs removed on ${node}`,
  closed: ({ outcome }) => `closed: ${outcome}`,
};

/** An entry of the journal in words. */
export function describeEntry<K extends Entry["kind"]>(entry: Extract<Entry, { kind: K }>): string {
  return (words[entry.kind] as (entry: Extract<Entry, { kind: K }>) => string)(entry);
}

/** A journal in words, with the time since it was begun. */
export function logText(entries: readonly Recorded[]): string {
  const began = Date.parse(entries[0]?.at ?? "");
  const rows = entries.map((entry) => [
    chalk.dim(entry.at),
    `+${formatDuration(Date.parse(entry.at) - began)}`,
    describeEntry(entry),
  ]);
  return columns(rows).join("\n");
}

/** The answer of `fastmig status ID`: each end, what both mean, and what to do. */
export function bothEndsText({ id, service, closed, pid, ends, judgement }: BothEnds): string {
  const rows = ends.map(({ node, role, seen }) => [node, role, ...endCells(seen)]);
  const [from, to] = ends.map(({ node }) => node);
  const meaning: Record<BothEnds["judgement"], string> = {
    open: `nothing irrevocable has happened: ${service} is ${from}'s`,
    released: `${from} has let go of ${service}, ${to} does not run it yet`,
    committed: `${to} has ${service}`,
    rolledBack: `${from} has ${service}`,
    inDoubt: `both together do not say who has ${service}`,
  };
  const isSettled = closed === "done" || closed === "rolled back";
  const lines = [isSettled ? `closed: ${closed}` : meaning[judgement]];
  if (pid !== null) lines.push(`process ${pid} works on it`);
  else if (closed === "predumped") lines.push(`a predump: \`fastmig migrate PLAN\` goes on from it`);
  else if (!isSettled) lines.push(`next: \`fastmig resume ${id}\``);
  return [...columns(rows), ...lines].join("\n");
}

function endCells(seen: BothEnds["ends"][number]["seen"]): string[] {
  if (seen === "silent") return ["does not answer"];
  if (seen === "unknown") return ["knows nothing of it"];
  const verdict = seen.verdict === null ? "" : `verdict ${seen.verdict}`;
  return [seen.state, verdict, seen.failure === null ? "" : `${seen.failure.step}: ${seen.failure.message}`];
}
