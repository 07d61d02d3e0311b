import type { Argv } from "../../argv.js";
import { ensureNamespace, inNetwork, succeedsIn } from "../namespaces.js";
import { ensureLink } from "../network.js";
import { run } from "../run.js";
import type { LabNode, LabState } from "../state.js";
import { qemuUser } from "./confine.js";

const hostPart = (node: LabNode): string => node.address.split(".").at(-1) ?? "0";

/** The back door: addresses on the machine's own side of its link, which no rate and no cut reaches. */
export const backHost = (node: LabNode): string => `169.254.${hostPart(node)}.1`;
export const backGuest = (node: LabNode): string => `169.254.${hostPart(node)}.2`;

const bridge = "machine";

/**
 * A node's namespace with a machine in it: `eth0` leads to the switch as any node's does, and a bridge leads
 * from there to the tap. So rate, cut and power are the same code for both launchers.
 */
export async function ensureMachineLink(state: LabState, node: LabNode): Promise<void> {
  await ensureNamespace(state, node.name);
  await ensureLink(state, node.name);
  const inside = (argv: Argv): Promise<string> => run(inNetwork(state, node.name, argv));
  if (!(await succeedsIn(state, node.name, ["ip", "link", "show", "dev", bridge])))
    await inside(["ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"]);
  if (!(await succeedsIn(state, node.name, ["ip", "link", "show", "dev", "tap0"])))
    await inside(["ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "user", qemuUser, "vnet_hdr"]);
  for (const port of ["eth0", "tap0"])
    await inside(["ip", "link", "set", "dev", port, "master", bridge, "up"]);
  await inside(["ip", "addr", "replace", `${backHost(node)}/30`, "dev", bridge]);
  await inside(["ip", "link", "set", "dev", bridge, "up"]);
}
