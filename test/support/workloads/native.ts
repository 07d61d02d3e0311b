import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../fastmig.js";

const output = join(root, "build/workloads");

/** Builds what the Makefile in a directory beside this file makes, where it is out of date, and says where that is. */
export function buildNative(directory: string): (program: string) => string {
  mkdirSync(output, { recursive: true });
  const make = ["make", "--silent", "-C", join(import.meta.dirname, directory), `OUT=${output}`];
  execFileSync("flock", [join(output, "lock"), ...make], { stdio: ["ignore", "ignore", "inherit"] });
  return (program) => join(output, program);
}
