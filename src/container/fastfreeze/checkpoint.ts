/** `fastfreeze checkpoint`: asks the daemon that `run` became. */
import type { CheckpointRequest, ImageWork } from "../../daemon/api.js";
import { daemonSocket } from "../../daemon/paths.js";
import { pause } from "../../wait.js";
import { type Config, joinPaths, readConfig, writeConfig } from "../config.js";
import { Failure, failureOf } from "../failure.js";
import { freezeRequest, isBudget, limits } from "../freeze.js";
import { readImageUrl } from "../image-url.js";
import { elapsed, Speech } from "../log.js";
import { record, recorded } from "../metrics.js";
import { paths } from "../paths.js";
import { Refused, SocketClient } from "../socket-client.js";
import { describeSize, statsOf } from "../stats.js";
import { pathsOf } from "../words.js";
import { parse, usage } from "./options.js";

/** Milliseconds that a daemon which died has to be there again. */
const restart = 60_000;

const compressors = { plain: "None", lz4: "Lz4", zstd: "Zstd" } as const;

export async function checkpoint(words: readonly string[]): Promise<void> {
  const { values: options } = parse("checkpoint", words);
  const speech = new Speech("checkpoint", options.verbose?.length ?? 0);
  const shards = Number(options["num-shards"]);
  if (!Number.isInteger(shards) || shards < 1 || shards > 256)
    throw usage(`--num-shards: from 1 to 256, not ${options["num-shards"]}`, "checkpoint");
  const { "cpu-budget": budget } = options;
  if (!isBudget(budget)) throw usage(`--cpu-budget: low, medium or high, not ${budget}`, "checkpoint");
  const known = await readConfig();
  await speech.intoFile();
  const given = options["image-url"];
  const config: Config = {
    ...known,
    imageUrl: given === undefined ? known.imageUrl : readImageUrl(given),
    preserve: joinPaths(pathsOf(options["preserve-path"]), known.preserve),
    passphraseFile: options["passphrase-file"] ?? known.passphraseFile,
    asker: process.pid,
  };
  const leaveRunning = options["leave-running"] === true;
  const request = await freezeRequest(config, { shards, budget, leaveRunning, env: process.env });
  speech.say(
    `Checkpointing application to ${config.imageUrl} (num_shards=${shards} compressor=${compressors[request.packing]} prefix=${request.id})`,
  );
  if (config.passphraseFile !== null)
    speech.say(`Encrypting image with passphrase from file ${config.passphraseFile}`);
  void record(process.env, { action: "checkpoint_start", image_url: config.imageUrl });
  const work = await recorded(
    process.env,
    "checkpoint",
    // Of an image that failed nothing else is remembered.
    () => make(request, () => writeConfig({ ...known, asker: process.pid })),
    (done) => ({ stats: statsOf(done) }),
  );
  await writeConfig(config);
  speech.say(describeSize(work));
  speech.say(`Checkpoint to ${config.imageUrl} complete. Took ${elapsed().toFixed(1)}s`);
}

async function make(request: CheckpointRequest, begun: () => Promise<void>): Promise<ImageWork> {
  const daemon = new SocketClient(daemonSocket(paths));
  const { id } = request;
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => interrupted.abort());
  await daemon.checkpoint(request).catch((thrown: unknown) => Promise.reject(refusal(thrown)));
  await begun();
  const latest = performance.now() + limits.deadline + restart;
  while (performance.now() < latest) {
    const work = interrupted.signal.aborted ? await daemon.abortImage(id) : await look(daemon, id);
    if (work?.state === "done") return work;
    if (work?.state === "failed") throw await told(daemon, work);
  }
  throw new Failure("The checkpoint does not come to an end");
}

/** Why it failed, and what became of the application. */
async function told(daemon: SocketClient, work: ImageWork): Promise<Failure> {
  const { message, exit, details } = failureOf(work);
  const { service } = await daemon.status();
  const state = service.state === "running" ? "goes on" : `is ${service.state}`;
  return new Failure(`Checkpoint failed, the application ${state}: ${message}`, exit, details);
}

/** Undefined while a daemon that died is started again. */
async function look(daemon: SocketClient, id: string): Promise<ImageWork | undefined> {
  try {
    return await daemon.image(id, 250);
  } catch (thrown) {
    if (!(thrown instanceof Refused) || thrown.code !== "NO_DAEMON") throw refusal(thrown);
    await pause(100);
    return undefined;
  }
}

function refusal(thrown: unknown): unknown {
  if (!(thrown instanceof Refused)) return thrown;
  if (thrown.code === "LOCKED") return new Failure("Previous checkpoint/restore operation still in progress");
  if (thrown.code === "NO_DAEMON") return new Failure(`No application is running here: ${thrown.message}`);
  return new Failure(thrown.message);
}
