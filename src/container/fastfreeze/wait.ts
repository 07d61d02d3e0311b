/** `fastfreeze wait`: until no checkpoint and no restore is under way. */
import { daemonSocket } from "../../daemon/paths.js";
import { pause } from "../../wait.js";
import { SocketClient } from "../socket-client.js";
import { Failure } from "../failure.js";
import { parse, usage } from "./options.js";
import { paths } from "../paths.js";

export async function wait(words: readonly string[]): Promise<void> {
  const { timeout } = parse("wait", words).values;
  const seconds = timeout === undefined ? Infinity : Number(timeout);
  if (!(seconds >= 0)) throw usage(`--timeout: a number of seconds, not ${timeout}`, "wait");
  const end = performance.now() + seconds * 1000;
  while (await isBusy()) {
    if (performance.now() >= end)
      throw new Failure("Previous checkpoint/restore operation still in progress");
    await pause(Math.min(100, Math.max(0, end - performance.now())));
  }
}

async function isBusy(): Promise<boolean> {
  const status = await new SocketClient(daemonSocket(paths)).status().catch(() => undefined);
  return status?.image?.state === "working";
}
