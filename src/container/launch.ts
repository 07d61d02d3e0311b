/** Brings an application to life: from its image where there is one, else from scratch. */
import { ulid } from "ulid";
import type { ImageWork } from "../daemon/api.js";
import type { Daemon } from "../daemon/daemon.js";
import { FastmigError, messageOf } from "../errors.js";
import { readPassphrase } from "../image/passphrase.js";
import { accessOf } from "./access.js";
import { serviceName, specOf } from "./application.js";
import { joinPaths } from "./config.js";
import { exitCodes, Failure, failureOf } from "./failure.js";
import { elapsed, type Speech } from "./log.js";
import { recorded } from "./metrics.js";
import { lookForImage, type RunMode } from "./run-mode.js";
import { describeSize, statsOf } from "./stats.js";

export interface Launch {
  imageUrl: string;
  /** Empty: it is only restored. */
  command: string[];
  env: NodeJS.ProcessEnv;
  preserve: string[];
  passphraseFile: string | null;
  /** Whether an image is not even looked for. */
  noRestore: boolean;
  anyVersion: boolean;
  leaveStopped: boolean;
  listenRemap: { from: number; to: number }[];
  criuOptions: string[];
  /** When it may run from scratch: never, where there is no image that fits, or also where that one cannot be restored. */
  coldStart: "never" | "if-missing" | "always";
}

/** Answers what has to be preserved from now on. Throws Failure, exit 171 where it is the image's or its restore's. */
export async function launch(daemon: Daemon, what: Launch, speech: Speech): Promise<string[]> {
  try {
    const mode = await modeOf(what, speech);
    if (mode.kind === "restore") {
      await restore(daemon, what, speech);
      return joinPaths(what.preserve, mode.preserved);
    }
    if (what.coldStart === "never" && !what.noRestore)
      throw new Failure(`There is no image to restore at ${what.imageUrl}`, exitCodes.restore);
  } catch (thrown) {
    const ofImage = thrown instanceof Failure && thrown.exit === exitCodes.restore;
    if (what.coldStart !== "always" || !ofImage) throw thrown;
    speech.say(`${thrown.message}. Running application from scratch`);
  }
  await fromScratch(daemon, what, speech);
  return what.preserve;
}

async function modeOf({ imageUrl, noRestore, anyVersion, env }: Launch, speech: Speech): Promise<RunMode> {
  if (noRestore) {
    speech.say("Running application from scratch (--no-restore)");
    return { kind: "scratch", why: "not_asked" };
  }
  speech.say(`Fetching image manifest for ${imageUrl}`);
  const mode = await recorded(
    env,
    "fetch_manifest",
    () =>
      lookForImage(imageUrl, anyVersion, env).catch((thrown: unknown) => Promise.reject(inRestore(thrown))),
    (found) =>
      found.kind === "restore"
        ? { manifest: "good", run_mode: "restore" }
        : { manifest: found.why, run_mode: "run_from_scratch" },
  );
  if (mode.kind === "scratch" && mode.message !== undefined) speech.say(mode.message);
  return mode;
}

async function fromScratch(daemon: Daemon, { command, env }: Launch, speech: Speech): Promise<void> {
  if (command.length === 0)
    throw new Failure("No application to restore, but running in restore-only mode, aborting");
  if ("FF_APP_VIRT_CPUID_MASK" in env)
    speech.say("FF_APP_VIRT_CPUID_MASK is of no use here: the application sees the processor as it is");
  const service = specOf(command, env);
  await recorded(env, "run_from_scratch", async () => {
    await daemon.run({ epoch: nextEpoch(daemon), service }).catch((thrown: unknown) => {
      throw new Failure(messageOf(thrown));
    });
  });
  speech.say("Application is ready, started from scratch");
}

async function restore(daemon: Daemon, what: Launch, speech: Speech): Promise<void> {
  const { leaveStopped, listenRemap, criuOptions } = what;
  speech.say(`Restoring application${leaveStopped ? " (leave stopped)" : ""}`);
  const passphrase = await readPassphrase(what.passphraseFile ?? undefined);
  const request = {
    ...{ id: ulid(), epoch: nextEpoch(daemon), url: what.imageUrl, latest: false },
    access: accessOf(what.env),
    passphrase: passphrase?.toString("base64") ?? null,
    ...{ service: serviceName, criuOptions, listenRemap, leaveStopped },
  };
  const work = await recorded(
    what.env,
    "restore",
    async () => {
      await daemon.restore(request);
      return followRestore(daemon, request.id);
    },
    (done) => ({ stats: statsOf(done) }),
  );
  speech.say(describeSize(work));
  speech.say(`Application is ready, restore took ${elapsed().toFixed(1)}s`);
}

const nextEpoch = ({ deps }: Daemon): number => deps.ownership.get().epoch + 1;

/** Milliseconds that a restore may take, a store that sends nothing included. */
const longest = 3_600_000;

async function followRestore(daemon: Daemon, id: string): Promise<ImageWork> {
  const latest = performance.now() + longest;
  for (;;) {
    const work = await daemon.images.view(id, 1000);
    if (work.state === "done") return work;
    if (work.state === "failed") throw failureOf(work, exitCodes.restore);
    if (performance.now() > latest) await daemon.images.abort(id);
  }
}

function inRestore(thrown: unknown): unknown {
  return thrown instanceof FastmigError
    ? new Failure(thrown.message, exitCodes.restore, [...thrown.details, ...thrown.hint])
    : thrown;
}
