import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../fastmig.js";

/** What the torture program's `verify` answers. */
export interface TortureAccount {
  pages: number;
  /** Of all pages, the children's too. */
  wrong: number;
  /** Pages written since it started: an older memory has fewer. */
  writes: number;
  children: number;
  first?: { region: number; page: number };
  events: Record<
    "mapped" | "unmapped" | "moved" | "dropped" | "replaced" | "forked" | "executed" | "ended" | "blinked",
    number
  > & { badExits: number };
}

const output = join(root, "build/workloads");

/** Builds the torture program where it is out of date, and says where it is; static, for any Linux of this architecture. */
export function buildTorture(): string {
  mkdirSync(output, { recursive: true });
  const make = ["make", "--silent", "-C", join(import.meta.dirname, "torture"), `OUT=${output}`];
  execFileSync("flock", [join(output, "lock"), ...make], { stdio: ["ignore", "ignore", "inherit"] });
  return join(output, "torture");
}
