/** `fastfreeze run`: restores the application, or runs it from scratch, and stays with it as its daemon. */
import { spawn } from "node:child_process";
import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import type { Ended, ImageWork } from "../../daemon/api.js";
import type { Daemon } from "../../daemon/daemon.js";
import { connectToInit, makeDaemon, open } from "../../daemon/host.js";
import { capability } from "../../daemon/init-client.js";
import { type Policy, statusOf } from "../../daemon/policy.js";
import type { Processes } from "../../daemon/processes.js";
import { hasCapability, isDead, lifeId, readStat } from "../../daemon/procfs.js";
import { FastmigError, messageOf } from "../../errors.js";
import { readPassphrase } from "../../image/passphrase.js";
import { waitFor } from "../../wait.js";
import { farewell, serviceName, specOf } from "./application.js";
import { type Config, joinPaths, recallConfig, writeConfig } from "./config.js";
import { exitCodes, Failure, failureOf } from "./failure.js";
import { helpOf } from "./help.js";
import { defaultImageUrl, readImageUrl } from "./image-url.js";
import { elapsed, Speech } from "./log.js";
import { record, recorded, shell } from "./metrics.js";
import { criuOptionsOf, parse, pathsOf } from "./options.js";
import { paths } from "./paths.js";
import { lookForImage, type RunMode } from "./run-mode.js";
import { describeSize, statsOf } from "./stats.js";

/** Milliseconds that a `checkpoint` has for its last word before the container ends. */
const lastWords = 5000;

/** Ends this container where it fails; else the application's end does. */
export async function run(words: readonly string[], failed: (thrown: unknown) => number): Promise<void> {
  let application: Run | undefined;
  const processes = connectToInit(
    { info: () => undefined, error: () => undefined },
    (signal) => void (application?.pass(signal) ?? processes.init.shutdown(128 + signal)),
  );
  try {
    const parsed = parse("run", words);
    if (parsed.values.help === true) {
      process.stdout.write(helpOf.run);
      return await processes.init.shutdown(0);
    }
    const speech = new Speech("run", parsed.values.verbose?.length ?? 0);
    application = new Run(parsed, speech, await lifeId());
    await application.begin(processes);
  } catch (thrown) {
    await processes.init.shutdown(failed(thrown));
  }
}

/** But for the lock, which init holds. */
async function forgetEverything(): Promise<void> {
  const names = await readdir(paths.state);
  for (const name of names.filter((each) => each !== "lock"))
    await rm(join(paths.state, name), { recursive: true, force: true });
}

class Run {
  readonly #options: ReturnType<typeof parse<"run">>["values"];
  readonly #command: string[];
  readonly #speech: Speech;
  readonly #life: string;
  #daemon: Daemon | undefined;

  constructor(parsed: ReturnType<typeof parse<"run">>, speech: Speech, life: string) {
    this.#options = parsed.values;
    this.#command = parsed.positionals;
    this.#speech = speech;
    this.#life = life;
  }

  readonly policy: Policy = {
    afterEnd: (ended) => this.#leave(ended),
    afterFreeze: async () => {
      await this.#awaitAsker();
      return this.#leave({ code: null, signal: "9", at: "" });
    },
    rootAdopts: true,
    // Its users have it there, and keep the container.
    ownLayer: true,
  };

  /** To the application, as if it were this process. */
  async pass(signal: number): Promise<void> {
    const root = this.#daemon?.deps.service.process;
    if (root !== undefined) await this.#daemon?.deps.processes.kill(root.pid, signal);
    else await this.#end(128 + signal);
  }

  /** Resolves when the application runs. Throws Failure. */
  async begin(processes: Processes): Promise<void> {
    const earlier = await recallConfig(this.#life);
    // What another container of this file system left says nothing of this one.
    if (earlier === undefined) await forgetEverything();
    await this.#speech.intoFile();
    const daemon = await makeDaemon(processes, { paths, policy: this.policy, log: this.#speech.log });
    this.#daemon = daemon;
    await open(daemon);
    if (earlier?.ready === true) return this.#goOn(daemon);
    try {
      const config = await this.#start(daemon);
      await writeConfig({ ...config, ready: true });
      this.#tell();
    } catch (thrown) {
      await this.#recordEnd(thrown instanceof Failure ? thrown.exit : exitCodes.failure, messageOf(thrown));
      throw thrown;
    }
  }

  /** An earlier daemon of this container's life had brought it up. */
  async #goOn({ deps }: Daemon): Promise<void> {
    const left = deps.service.process === undefined && deps.service.ended === undefined;
    if (left) await this.#end((await this.policy.afterFreeze()) ?? 0);
  }

  async #start(daemon: Daemon): Promise<Config> {
    await refuseWeakContainer();
    const imageUrl = this.#imageUrl();
    const passphraseFile = this.#options["passphrase-file"] ?? null;
    if (passphraseFile !== null) await refuseUnreadable(passphraseFile);
    const config: Config = {
      ...{ life: this.#life, ready: false, imageUrl, passphraseFile, asker: null },
      preserve: joinPaths(pathsOf(this.#options["preserve-path"])),
    };
    await writeConfig(config);
    // Begun by an earlier daemon, which died of it.
    if (daemon.deps.service.process !== undefined) return config;
    const mode = await this.#mode(imageUrl);
    if (mode.kind === "scratch") return this.#fromScratch(daemon, config);
    return this.#restore(daemon, { ...config, preserve: joinPaths(config.preserve, mode.preserved) });
  }

  #imageUrl(): string {
    const given = this.#options["image-url"];
    if (given !== undefined) return readImageUrl(given);
    if (this.#command.length === 0)
      throw new Failure("--image-url is necessary when running in restore-only mode");
    const url = defaultImageUrl(this.#command, process.env["HOME"]);
    this.#speech.say(`image-url is ${url}`);
    return url;
  }

  async #mode(url: string): Promise<RunMode> {
    if (this.#options["no-restore"] === true) {
      this.#speech.say("Running application from scratch (--no-restore)");
      return { kind: "scratch", why: "not_asked" };
    }
    this.#speech.say(`Fetching image manifest for ${url}`);
    const anyVersion = this.#options["allow-bad-image-version"] === true;
    const mode = await recorded(
      "fetch_manifest",
      () => lookForImage(url, anyVersion).catch((thrown: unknown) => Promise.reject(inRestore(thrown))),
      (found) =>
        found.kind === "restore"
          ? { manifest: "good", run_mode: "restore" }
          : { manifest: found.why, run_mode: "run_from_scratch" },
    );
    if (mode.kind === "scratch" && mode.message !== undefined) this.#speech.say(mode.message);
    return mode;
  }

  async #fromScratch(daemon: Daemon, config: Config): Promise<Config> {
    if (this.#command.length === 0)
      throw new Failure("No application to restore, but running in restore-only mode, aborting");
    if ("FF_APP_VIRT_CPUID_MASK" in process.env)
      this.#speech.say(
        "FF_APP_VIRT_CPUID_MASK is of no use here: the application sees the processor as it is",
      );
    const service = specOf(this.#command, process.env);
    await recorded("run_from_scratch", () => daemon.run({ epoch: 1, service }));
    this.#speech.say("Application is ready, started from scratch");
    return config;
  }

  async #restore(daemon: Daemon, config: Config): Promise<Config> {
    const leaveStopped = this.#options["leave-stopped"] === true;
    this.#speech.say(`Restoring application${leaveStopped ? " (leave stopped)" : ""}`);
    const passphrase = await readPassphrase(config.passphraseFile ?? undefined);
    const request = {
      ...{ id: ulid(), epoch: 1, url: config.imageUrl, access: {}, latest: false, service: serviceName },
      passphrase: passphrase?.toString("base64") ?? null,
      ...{ criuOptions: criuOptionsOf(process.env), leaveStopped },
    };
    const work = await recorded(
      "restore",
      async () => {
        await daemon.restore(request);
        return this.#restored(daemon, request.id);
      },
      (done) => ({ stats: statsOf(done) }),
    );
    this.#speech.say(describeSize(work));
    this.#speech.say(`Application is ready, restore took ${elapsed().toFixed(1)}s`);
    return config;
  }

  async #restored(daemon: Daemon, id: string): Promise<ImageWork> {
    for (;;) {
      const work = await daemon.images.view(id, 1000);
      if (work.state === "done") return work;
      if (work.state === "failed") throw failureOf(work, exitCodes.restore);
    }
  }

  /** --on-app-ready: fire and forget. */
  #tell(): void {
    const script = this.#options["on-app-ready"];
    if (script === undefined) return;
    const [program, words] = shell(script);
    spawn(program, words, { stdio: ["ignore", "inherit", "inherit"] }).on("error", (error) =>
      this.#speech.say(`--on-app-ready: ${error.message}`),
    );
  }

  /** Whoever asked for the checkpoint is in this container, and ends with it. */
  async #awaitAsker(): Promise<void> {
    const asker = (await recallConfig(this.#life))?.asker ?? null;
    const stat = asker === null ? undefined : await readStat(asker);
    if (stat === undefined) return;
    const gone = async (): Promise<true | undefined> => ((await isDead(stat)) ? true : undefined);
    await waitFor("its end", gone, { timeout: lastWords, interval: 20 }).catch(() => undefined);
  }

  async #leave(ended: Ended): Promise<number> {
    const status = statusOf(ended);
    this.#speech.say(farewell(ended));
    await this.#recordEnd(status, farewell(ended));
    return status;
  }

  async #recordEnd(status: number, error: string): Promise<void> {
    const told = { action: "run", duration: elapsed(), exit_code: status };
    await record(status === 0 ? { ...told, outcome: "success" } : { ...told, outcome: "error", error });
  }

  async #end(status: number): Promise<void> {
    await this.#daemon?.deps.processes.init.shutdown(status);
  }
}

function inRestore(thrown: unknown): unknown {
  return thrown instanceof FastmigError
    ? new Failure(thrown.message, exitCodes.restore, [...thrown.details, ...thrown.hint])
    : thrown;
}

const needed = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"] as const;

/** Better now than when the application is to be saved. Throws Failure. */
async function refuseWeakContainer(): Promise<void> {
  const has = await Promise.all(needed.map((name) => hasCapability(process.ppid, capability[name])));
  const lacking = needed.filter((_, at) => has[at] !== true);
  if (lacking.length === 0) return;
  throw new Failure(
    `This container lacks ${lacking.map((name) => `CAP_${name}`).join(", ")}, without which nothing can be frozen`,
    exitCodes.failure,
    [
      `run it with ${lacking.map((name) => `--cap-add=${name}`).join(" ")} --security-opt seccomp=unconfined`,
      "as another user than root it takes `RUN fastfreeze install` in the image, too",
    ],
  );
}

async function refuseUnreadable(file: string): Promise<void> {
  await access(file).catch(() => {
    throw new Failure(`The passphrase file ${file} is not accessible`);
  });
}
