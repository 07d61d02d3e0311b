import { exitCodes, FastmigError, messageOf } from "../../errors.js";
import { readProcessor } from "../../instructions.js";
import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import type { NodeFacts } from "../facts.js";
import { parseDf, parseMemAvailable } from "../podman-output.js";
import type { Site } from "../site.js";

/** File systems that a reboot empties. */
const volatileTypes = ["tmpfs", "ramfs", "rootfs"];

/** The nearest directory above a path that may not be there yet. */
const room = `dir=$1; while [ ! -e "$dir" ]; do dir=$(dirname "$dir"); done; df -PT -B1 -- "$dir"`;
const processor = `grep -m1 '^model name' /proc/cpuinfo; grep -m1 '^flags' /proc/cpuinfo`;
const system = `id -u && cat /proc/uptime && grep MemAvailable: /proc/meminfo && { ${processor}; ${room}; }`;

export type SystemFacts = Pick<
  NodeFacts,
  "node" | "identities" | "rootless" | "memoryAvailable" | "state" | "uptime" | "processor"
>;

/** What a node says of itself, in one command. */
export async function gatherSystem(site: Site): Promise<SystemFacts> {
  const node = await site.node();
  const text = await run(node, ["sh", "-c", system, "sh", site.paths.state]);
  const [uid, uptime = ""] = text.split("\n");
  const state = parseDf(text);
  return {
    node: site.name,
    identities: [node.identity],
    rootless: uid === "0" ? null : node.user,
    memoryAvailable: parseMemAvailable(text),
    state: { free: state.available, volatile: volatileTypes.includes(state.type) },
    uptime: Number(uptime.split(" ")[0]) * 1000,
    processor: readProcessor(text),
  };
}

/** Free on the file system of the engine's storage, bytes. */
export async function storageFree(site: Site): Promise<number> {
  const node = await site.node();
  const root = await run(node, podman.info("{{.Store.GraphRoot}}"));
  return parseDf(await run(node, ["sh", "-c", room, "sh", root.trim()])).available;
}

/** An engine that does not work is a finding, not an error: there may be more to find. A lost link is an error. */
export async function engineFacts(site: Site, works: Promise<unknown>): Promise<NodeFacts["engine"]> {
  try {
    const [version] = await Promise.all([site.node().then((node) => run(node, podman.version())), works]);
    return { version: version.trim().split(" ").at(-1) ?? "" };
  } catch (thrown) {
    if (thrown instanceof FastmigError && thrown.exit === exitCodes.unreachable) throw thrown;
    return { missing: messageOf(thrown) };
  }
}
