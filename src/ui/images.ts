import type { DumpedProcess } from "../criu/tree.js";
import type { Catalog, ListedImage } from "../image/catalog.js";
import { formatSize } from "../units.js";
import { columns } from "./columns.js";

/** The table of `image list`. */
export function imagesText({ images, unread }: Catalog): string {
  const head = ["service", "created", "memory", "stored", "packing", "image"];
  const table = images.length === 0 ? [] : columns([head, ...images.map(row)]);
  return [...table, ...unread.map(({ url, problem }) => `${url}: ${problem}`)].join("\n");
}

function row({ made, service, createdAt, bytes, stored, packing, encrypted, url }: ListedImage): string[] {
  const how = encrypted ? `${packing}, encrypted` : packing;
  const created = createdAt?.replace(/\.\d+Z$/, "Z") ?? `by ${made}`;
  const memory = bytes === null ? "?" : formatSize(bytes);
  return [service ?? "?", created, memory, formatSize(stored), how, url];
}

/** The processes of `image inspect`, children below their parents, with what they have open. */
export function processesText(processes: readonly DumpedProcess[]): string {
  const pids = new Set(processes.map(({ pid }) => pid));
  const roots = processes.filter(({ parent }) => !pids.has(parent));
  return roots.flatMap((root) => branch(root, processes, "")).join("\n");
}

function branch(process: DumpedProcess, all: readonly DumpedProcess[], indent: string): string[] {
  const { pid, name, threads, memory, files } = process;
  const head = `${indent}${pid} ${name}: ${formatSize(memory)}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const open = files.map(
    ({ fd, kind, text }) => `${indent}    ${fd}: ${kind}${text === "" ? "" : ` ${text}`}`,
  );
  const children = all.filter(({ parent }) => parent === pid);
  return [head, ...open, ...children.flatMap((child) => branch(child, all, `${indent}  `))];
}
