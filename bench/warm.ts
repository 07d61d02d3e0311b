import { execFileSync } from "node:child_process";

/**
 * Writes so many GB of memory and gives them back. A virtual machine's host takes free memory away, and finding it again costs
 * up to 3 s for each GB: it would decide the figures by chance, raw ones and ours.
 */
export function warm(gigabytes: number): void {
  for (let done = 0; done < gigabytes; done += 2)
    execFileSync("dd", ["if=/dev/zero", "of=/dev/null", "bs=2000M", "count=1", "status=none"]);
}
