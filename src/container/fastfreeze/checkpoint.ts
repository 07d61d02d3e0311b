/** `fastfreeze checkpoint`: asks the daemon that `run` became. */
import { ulid } from "ulid";
import type { CheckpointRequest, ImageWork } from "../../daemon/api.js";
import { daemonSocket } from "../../daemon/paths.js";
import { FastmigError } from "../../errors.js";
import { readPassphrase } from "../../image/passphrase.js";
import { pause } from "../../wait.js";
import { Refused, SocketClient } from "../socket-client.js";
import { type Config, joinPaths, readConfig, writeConfig } from "./config.js";
import { Failure, failureOf } from "./failure.js";
import { readImageUrl } from "./image-url.js";
import { elapsed, Speech } from "./log.js";
import { record, recorded } from "./metrics.js";
import { criuOptionsOf, parse, pathsOf, usage } from "./options.js";
import { paths } from "./paths.js";
import { describeSize, statsOf } from "./stats.js";

/** Milliseconds that the application may stand still while a store takes nothing, and in all. */
const lease = 60_000;
const deadline = 3_600_000;
/** Milliseconds that a daemon which died has to be there again. */
const restart = 60_000;

const budgets: Readonly<Record<string, { packing: CheckpointRequest["packing"]; compressor: string }>> = {
  low: { packing: "plain", compressor: "None" },
  medium: { packing: "lz4", compressor: "Lz4" },
  high: { packing: "zstd", compressor: "Zstd" },
};

export async function checkpoint(words: readonly string[]): Promise<void> {
  const { values: options } = parse("checkpoint", words);
  const speech = new Speech("checkpoint", options.verbose?.length ?? 0);
  const shards = Number(options["num-shards"]);
  if (!Number.isInteger(shards) || shards < 1 || shards > 256)
    throw usage(`--num-shards: from 1 to 256, not ${options["num-shards"]}`, "checkpoint");
  const budget = budgets[options["cpu-budget"]];
  if (budget === undefined)
    throw usage(`--cpu-budget: low, medium or high, not ${options["cpu-budget"]}`, "checkpoint");
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
  const request = await requestFor(config, { shards, packing: budget.packing });
  request.leaveRunning = options["leave-running"] === true;
  const prefix = request.id;
  speech.say(
    `Checkpointing application to ${config.imageUrl} (num_shards=${shards} compressor=${budget.compressor} prefix=${prefix})`,
  );
  if (config.passphraseFile !== null)
    speech.say(`Encrypting image with passphrase from file ${config.passphraseFile}`);
  void record({ action: "checkpoint_start", image_url: config.imageUrl });
  await writeConfig(config);
  const work = await recorded(
    "checkpoint",
    () => make(request),
    (done) => ({ stats: statsOf(done) }),
  );
  speech.say(describeSize(work));
  speech.say(`Checkpoint to ${config.imageUrl} complete. Took ${elapsed().toFixed(1)}s`);
}

async function requestFor(
  { imageUrl, preserve, passphraseFile }: Config,
  { shards, packing }: Pick<CheckpointRequest, "shards" | "packing">,
): Promise<CheckpointRequest> {
  const passphrase = await readPassphrase(passphraseFile ?? undefined).catch((thrown: unknown) => {
    throw thrown instanceof FastmigError ? new Failure(thrown.message) : thrown;
  });
  return {
    ...{
      id: ulid(),
      url: imageUrl,
      keep: null,
      leaveRunning: false,
      packing,
      shards,
      preserve,
      lease,
      deadline,
    },
    access: accessOf(process.env),
    passphrase: passphrase?.toString("base64") ?? null,
    criuOptions: criuOptionsOf(process.env),
  };
}

/** A store is reached as whoever asks would reach it. */
function accessOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = /^(AWS_|GOOGLE_|STORAGE_EMULATOR_HOST$|S3_CMD$|GS_CMD$)/;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && names.test(name) ? [[name, value]] : [],
    ),
  );
}

async function make(request: CheckpointRequest): Promise<ImageWork> {
  const daemon = new SocketClient(daemonSocket(paths));
  const { id } = request;
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => interrupted.abort());
  await daemon.checkpoint(request).catch((thrown: unknown) => Promise.reject(refusal(thrown)));
  const latest = performance.now() + deadline + restart;
  while (performance.now() < latest) {
    const work = interrupted.signal.aborted ? await daemon.abortImage(id) : await look(daemon, id);
    if (work?.state === "done") return work;
    if (work?.state === "failed") throw failureOf(work);
  }
  throw new Failure("The checkpoint does not come to an end");
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
