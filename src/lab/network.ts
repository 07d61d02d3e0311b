import type { Argv } from "../argv.js";
import { shortHash } from "./paths.js";
import { ensureNamespace, inNetwork, succeedsIn } from "./namespaces.js";
import { attempt, run } from "./run.js";
import type { LabState } from "./state.js";

/** The namespace that holds the bridge. Its ports carry the names of those they lead to. */
export const switchName = "switch";
const bridge = "bridge";

/** Our end of the controller's link, in the machine's own network namespace. */
export const controllerPort = (id: string): string => `fm-${shortHash(id, 8)}`;

const ruleset = `
table bridge lab {
  set cuts { type ifname . ifname; }
  chain forward { type filter hook forward priority 0; iifname . oifname @cuts drop; }
}
`;

/** The bridge between all, and the rules that `cut` fills. Runs again without harm. */
export async function ensureSwitch(state: LabState): Promise<void> {
  await ensureNamespace(state, switchName);
  if (!(await succeedsIn(state, switchName, ["ip", "link", "show", "dev", bridge]))) {
    await onSwitch(state, [
      "ip",
      "link",
      "add",
      bridge,
      "type",
      "bridge",
      "stp_state",
      "0",
      "forward_delay",
      "0",
    ]);
  }
  await onSwitch(state, ["ip", "link", "set", "dev", bridge, "up"]);
  const rules = await attempt(nft(state, ["list", "set", "bridge", "lab", "cuts"]));
  if (!rules.ok) await run(nft(state, ["-f", "-"]), { input: ruleset });
}

function onSwitch(state: LabState, argv: Argv): Promise<string> {
  return run(inNetwork(state, switchName, argv));
}

/** nft out of the lab's root: this machine needs none. */
export function nft(state: LabState, args: Argv): Argv {
  return inNetwork(state, switchName, ["chroot", state.root, "/usr/sbin/nft", ...args]);
}

/** The controller's link: its other end stands in this machine's own network namespace. */
export async function ensureController(state: LabState): Promise<void> {
  const port = controllerPort(state.id);
  if (!(await attempt(["ip", "link", "show", "dev", port])).ok) {
    await forgetPort(state, "controller");
    await run([
      "ip",
      "link",
      "add",
      port,
      "type",
      "veth",
      "peer",
      "name",
      "controller",
      "netns",
      `${state.namespaces}/${switchName}`,
    ]);
  }
  await run(["ip", "addr", "replace", `${state.controller.address}/24`, "dev", port]);
  await run(["ip", "link", "set", "dev", port, "up"]);
  await plugIn(state, "controller");
}

/** A namespace with an address, by `eth0` on the bridge. */
export async function ensureMember(state: LabState, name: string, address: string): Promise<void> {
  await ensureLink(state, name, ["address", hardwareAddress(address)]);
  await run(inNetwork(state, name, ["ip", "addr", "replace", `${address}/24`, "dev", "eth0"]));
}

/** A namespace with `eth0` on the bridge, made with the `settings` where it is not there. */
export async function ensureLink(state: LabState, name: string, settings: Argv = []): Promise<void> {
  await ensureNamespace(state, name);
  const inside = (argv: Argv): Promise<string> => run(inNetwork(state, name, argv));
  if (!(await succeedsIn(state, name, ["ip", "link", "show", "dev", "eth0"]))) {
    await forgetPort(state, name);
    const peer = ["type", "veth", "peer", "name", name, "netns", `${state.namespaces}/${switchName}`];
    await inside(["ip", "link", "add", "eth0", ...settings, ...peer]);
  }
  await inside(["ip", "link", "set", "dev", "eth0", "up"]);
  await plugIn(state, name);
}

/** The same after every boot, as a real card's is: nobody has to forget a neighbour first. */
export function hardwareAddress(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return ["02", "fa", ...bytes].join(":");
}

async function forgetPort(state: LabState, name: string): Promise<void> {
  await attempt(inNetwork(state, switchName, ["ip", "link", "del", "dev", name]));
}

async function plugIn(state: LabState, name: string): Promise<void> {
  await onSwitch(state, ["ip", "link", "set", "dev", name, "master", bridge, "up"]);
}
