import { longestGap } from "../../src/lab/demo/ledger.js";
import { type Cast, seedService } from "../../test/support/services.js";
import { type Stage } from "../../test/support/stage.js";
import { waitFor } from "../../src/wait.js";
import { ask } from "../../test/support/ask.js";
import { pipeAcross } from "../raw-container.js";
import { type Load } from "./load.js";

/** A move with the container engine's own tools, in milliseconds. */
export interface ByHand {
  /** The longest time that the client had no answer. */
  downtime: number;
  checkpoint: number;
  copy: number;
  restore: number;
}

const container = "bench-by-hand";
const archive = "/var/tmp/bench-by-hand.tar";
/** Without it CRIU asks for iptables, which the nodes do not have, and refuses open connections. */
const criuConfig = "/etc/criu/default.conf";
const criuWords = "network-lock nftables\\ntcp-close\\nskip-in-flight\\n";

/** `podman container checkpoint --export`, a copy, `podman container restore --import`: what an operator would type. */
export async function moveByHand(stage: Stage, { megabytes, percent }: Load): Promise<ByHand> {
  await clear(stage);
  const cast = seedService(null, megabytes, percent);
  await start(stage, cast);
  const writer = await stage.clients.watch(stage.addresses(cast));
  const options = ["--compress=none", `--export=${archive}`, container];
  const checkpoint = await timed(stage, "a", "checkpoint", options);
  const copy = await pipeAcross(stage, `socat -u -b 1048576 FILE:${archive}`, `CREATE:${archive}`);
  const restore = await timed(stage, "b", "restore", [`--import=${archive}`]);
  await writer.goesOn(60_000);
  await writer.stop();
  const downtime = longestGap(await writer.ledger())?.length ?? NaN;
  await clear(stage);
  return { downtime, checkpoint, copy, restore };
}

async function start(stage: Stage, cast: Cast): Promise<void> {
  const { image, command = [] } = cast.written;
  const [program = "", ...args] = command;
  const run = ["podman", "run", "-d", "--name", container, "-p", `${cast.port}:${cast.port}`];
  for (const node of ["a", "b"] as const)
    await stage.on(node, "sh", "-c", `mkdir -p /etc/criu && printf '${criuWords}' > ${criuConfig}`);
  await stage.on("a", ...run, "--entrypoint", program, image, ...args);
  await waitFor("the service", () => ask(stage, cast, "a", "/identity"), { timeout: 60_000 });
}

async function timed(
  stage: Stage,
  node: "a" | "b",
  verb: string,
  options: readonly string[],
): Promise<number> {
  const began = performance.now();
  await stage.on(node, "podman", "container", verb, ...options);
  return performance.now() - began;
}

async function clear(stage: Stage): Promise<void> {
  for (const node of ["a", "b"] as const) {
    await stage.on(node, "podman", "rm", "--force", "--ignore", "--time", "0", container);
    await stage.on(node, "rm", "-f", archive, criuConfig);
  }
}
