import { buildNative } from "./native.js";

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

/** Builds the torture program where it is out of date, and says where it is; static, for any Linux of this architecture. */
export function buildTorture(): string {
  return buildNative("torture")("torture");
}
