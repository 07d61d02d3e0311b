import chalk from "chalk";
import type { Blackout, MigrationReport, PreCopyReport } from "../migration/report.js";
import { formatDuration, formatRate, formatSize } from "../units.js";
import { roundText } from "./round.js";

/** The report for people. Colours follow NO_COLOR and FORCE_COLOR. */
export function reportText(report: MigrationReport): string {
  const rows: [string, string][] = [
    ["blackout", blackoutText(report)],
    ["transfer", transferText(report)],
    ...(report.precopy === null ? [] : preCopyRows(report.rounds.length, report.precopy)),
    [
      "in all",
      `${formatDuration(report.durationMs)}: ${report.steps.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(", ")}`,
    ],
    ["verified", verifiedText(report)],
    ["versions", versionsText(report)],
    ...(report.kept === null
      ? []
      : [
          [
            "kept",
            `${report.kept.container} on ${report.kept.node} until ${report.kept.until} (then \`fastmig gc\`)`,
          ] as [string, string],
        ]),
    ...report.warnings.map((warning): [string, string] => ["warning", chalk.yellow(warning)]),
  ];
  const head = chalk.bold(`${report.service}: ${report.from} → ${report.to}`);
  return [
    `${head}  ${chalk.dim(`migration ${report.id}, epoch ${report.epoch}`)}`,
    ...rows.map(([key, value]) => `  ${chalk.dim(key.padEnd(9))} ${value}`),
  ].join("\n");
}

function blackoutText({ blackout, downtime }: MigrationReport): string {
  if (blackout === null) return "not measured";
  const measured = `${formatDuration(blackout.ms)} (${clockText(blackout)})`;
  if (downtime === null) return measured;
  const budget = formatDuration(downtime.budgetMs);
  return downtime.met
    ? chalk.green(`${measured}, within the budget of ${budget}`)
    : chalk.red(`${measured}, the budget was ${budget}`);
}

/** `made`: rounds of the migration in all, also those of a predump before this run. */
function preCopyRows(made: number, precopy: PreCopyReport): [string, string][] {
  const { series, predictedMs, blackoutMs, text, quota } = precopy;
  const ahead = made - series.length;
  const came = blackoutMs === null ? "" : `, ${formatDuration(blackoutMs)} came`;
  return [
    ...(ahead > 0 ? [["rounds", `${ahead} made ahead`] as [string, string]] : []),
    ...series.map((round, at): [string, string] => [
      at === 0 && ahead === 0 ? "rounds" : "",
      roundText(round),
    ]),
    ["predicted", `${predictedMs === null ? "nothing" : formatDuration(predictedMs)}${came} (${text})`],
    ...(quota === null
      ? []
      : [
          ["throttled", `to ${formatDuration(quota / 1000)} of processor time within 100ms`] as [
            string,
            string,
          ],
        ]),
  ];
}

function clockText({ clock }: Blackout): string {
  return clock === "source" ? "by the source's clock" : "by both nodes' clocks";
}

function transferText({ transfer }: MigrationReport): string {
  const rate = transfer.bytesPerSecond === null ? "" : ` at ${formatRate(transfer.bytesPerSecond)}`;
  const reason = transfer.reason === null ? "" : ` (${transfer.reason})`;
  return `${formatSize(transfer.bytes)} in ${transfer.files} files, ${transfer.mode}${rate}${reason}`;
}

function verifiedText({ verified }: MigrationReport): string {
  const all = [...new Set([...verified.source, ...verified.destination])];
  return all.length === 0 ? "nothing" : all.join(", ");
}

function versionsText({ versions }: MigrationReport): string {
  const pair = ({ source, destination }: Record<"source" | "destination", string>): string =>
    source === destination ? source : `${source} → ${destination}`;
  return `fastmig ${versions.fastmig}, daemon ${pair(versions.daemon)}, CRIU ${pair(versions.criu)}, podman ${pair(versions.engine)}`;
}
