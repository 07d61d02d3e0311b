import { readFile, readdir } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { existsSync, globSync } from "node:fs";
import { controllerPort } from "../../src/lab/network.js";
import { labPaths } from "../../src/lab/paths.js";

/** Whatever of a lab this machine still shows, named; empty after `down`. */
export async function leftovers(name: string): Promise<string[]> {
  const { id, dir, namespaces } = labPaths(name);
  const marks = [`${dir}/`, id];
  const bears = (text: string): boolean => marks.some((mark) => text.includes(mark));
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter(bears);
  const processes = await Promise.all(
    (await readdir("/proc")).filter((pid) => /^\d+$/.test(pid)).map(commandOf),
  );
  const loops = globSync("/sys/block/loop*/loop/backing_file");
  const files = await Promise.all(loops.map((file) => readFile(file, "utf8").catch(() => "")));
  return [
    ...mounts,
    ...processes.filter(bears),
    ...files.filter(bears),
    ...[dir, namespaces, ...globSync(`/sys/fs/cgroup/{*/,}fastmig-${id}`)].filter(existsSync),
    ...Object.keys(networkInterfaces()).filter((each) => each === controllerPort(id)),
  ];
}

async function commandOf(pid: string): Promise<string> {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return words.replaceAll("\0", " ").trim();
}
