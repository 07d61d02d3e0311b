import { messageOf } from "../../errors.js";
import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import type { NodeFacts } from "../facts.js";
import { parseDf, parseMemAvailable } from "../podman-output.js";
import type { Site } from "../site.js";

/** File systems that a reboot empties. */
const volatileTypes = ["tmpfs", "ramfs", "rootfs"];

/** The nearest directory above a path that may not be there yet. */
const room = `dir=$1; while [ ! -e "$dir" ]; do dir=$(dirname "$dir"); done; exec df -PT -B1 -- "$dir"`;

export type SystemFacts = Omit<NodeFacts, "imageId">;

/** What a node says of itself; everything that does not depend on anything else is asked at once. */
export async function gatherSystem(site: Site): Promise<SystemFacts> {
  const node = await site.node();
  const ask = (...argv: string[]): Promise<string> => run(node, argv);
  const [engine, meminfo, uptime, state] = await Promise.all([
    gatherEngine(site),
    ask("cat", "/proc/meminfo"),
    ask("cat", "/proc/uptime"),
    ask("sh", "-c", room, "sh", site.paths.state).then(parseDf),
  ]);
  return {
    node: site.name,
    identities: [node.identity],
    engine: engine.engine,
    memoryAvailable: parseMemAvailable(meminfo),
    state: { free: state.available, volatile: volatileTypes.includes(state.type) },
    storageFree: engine.storageFree,
    uptime: Number(uptime.split(" ")[0]) * 1000,
  };
}

/** Podman's absence is a finding, not an error: there may be more to find. */
async function gatherEngine(site: Site): Promise<Pick<SystemFacts, "engine" | "storageFree">> {
  const node = await site.node();
  try {
    const [version = "", root = "/"] = (
      await run(node, podman.info("{{.Version.Version}} {{.Store.GraphRoot}}"))
    )
      .trim()
      .split(" ");
    const storage = parseDf(await run(node, ["sh", "-c", room, "sh", root]));
    return { engine: { version }, storageFree: storage.available };
  } catch (thrown) {
    return { engine: { missing: messageOf(thrown) }, storageFree: 0 };
  }
}
