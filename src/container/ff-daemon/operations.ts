/** What FastMig's requests do to the application: one at a time. */
import { split } from "shlex";
import type { ImageWork } from "../../daemon/api.js";
import type { Daemon } from "../../daemon/daemon.js";
import { BadRequest, Conflict, HttpError } from "../../daemon/refusals.js";
import { messageOf } from "../../errors.js";
import { type Config, joinPaths, recallConfig, writeConfig } from "../config.js";
import { Failure, failureOf } from "../failure.js";
import { freezeRequest } from "../freeze.js";
import { defaultImageUrl, readImageUrl } from "../image-url.js";
import { launch } from "../launch.js";
import type { Speech } from "../log.js";
import { recorded } from "../metrics.js";
import { onAppReady } from "../on-app-ready.js";
import { refuseUnreadable } from "../ready.js";
import { statsOf } from "../stats.js";
import { criuOptionsOf, pathsOf } from "../words.js";
import type { CheckpointRequest, Done, RunRequest } from "./api.js";
import type { Counts } from "./metrics.js";
import { tellCondition } from "./outside.js";

/** As FastMig has it: `App Exited with exit_code 171`. */
export class Exited extends HttpError {
  constructor(
    readonly exit: number,
    why: string,
    details: readonly string[],
  ) {
    super(500, `EXIT_${exit}`, `App Exited with exit_code ${exit}: ${why}`, details);
  }
}

export class Operations {
  readonly counts: Counts = { checkpoints: { done: 0, failed: 0 }, restores: { done: 0, failed: 0 } };
  readonly #daemon: Daemon;
  readonly #life: string;
  readonly #speech: Speech;
  #busy: string | undefined;
  /** With the variables of the last run. */
  env: NodeJS.ProcessEnv = process.env;

  constructor(daemon: Daemon, life: string, speech: Speech) {
    this.#daemon = daemon;
    this.#life = life;
    this.#speech = speech;
  }

  /** Throws 409 while another one is under way. */
  async #alone<T>(what: string, deed: () => Promise<T>): Promise<T> {
    if (this.#busy !== undefined) throw new Conflict("LOCKED", `a ${this.#busy} is under way here`);
    this.#busy = what;
    try {
      return await deed();
    } finally {
      this.#busy = undefined;
    }
  }

  /** Answers when the application runs. 409 where it does already; 500 with FastFreeze's exit code where it does not come to that. */
  run(request: RunRequest): Promise<Done> {
    return this.#alone("run", async () => {
      if (this.#daemon.deps.service.process !== undefined)
        throw new Conflict("RUNS", "the application runs here already");
      try {
        await this.#launch(request);
      } catch (thrown) {
        throw failed(thrown);
      }
      await tellCondition("running");
      if (request.on_app_ready !== "") onAppReady(request.on_app_ready, this.#speech);
      return { message: "App start successfully" };
    });
  }

  async #launch(request: RunRequest): Promise<void> {
    const env = { ...process.env, ...variables(request.envs) };
    this.env = env;
    const command = words(request.app_args);
    const config: Config = {
      ...{ life: this.#life, ready: false, asker: null },
      imageUrl:
        request.image_url === "" ? defaultImageUrl(command, env.HOME) : readImageUrl(request.image_url),
      preserve: joinPaths(pathsOf([request.preserved_paths])),
      passphraseFile: request.passphrase_file === "" ? null : request.passphrase_file,
    };
    if (config.passphraseFile !== null) await refuseUnreadable(config.passphraseFile);
    await writeConfig(config);
    const before = this.#daemon.images.last?.id;
    try {
      const preserve = await launch(
        this.#daemon,
        {
          ...{ ...config, command, env, noRestore: request.no_restore, anyVersion: request.allow_bad_image },
          ...{ leaveStopped: request.leave_stopped, listenRemap: [], criuOptions: criuOptionsOf(env) },
          coldStart: request.cold_start,
        },
        this.#speech,
      );
      await writeConfig({ ...config, preserve, ready: true });
    } finally {
      this.#countRestore(before);
    }
  }

  #countRestore(before: string | undefined): void {
    const work = this.#daemon.images.last;
    if (work?.verb !== "restore" || work.id === before) return;
    this.counts.restores[work.state === "done" ? "done" : "failed"] += 1;
  }

  /** Answers when the image is whole. 409 where nothing runs; 500 where it failed, and the application goes on. */
  checkpoint(asked: CheckpointRequest): Promise<Done> {
    return this.#alone("checkpoint", async () => {
      const env = { ...this.env, ...variables(asked.envs) };
      const known = await recallConfig(this.#life);
      if (known === undefined || this.#daemon.deps.service.process === undefined)
        throw new Conflict("NOT_RUNNING", "no application runs here");
      const config: Config = {
        ...known,
        imageUrl: asked.image_url === "" ? known.imageUrl : readImageUrl(asked.image_url),
        preserve: joinPaths(pathsOf([asked.preserved_paths]), known.preserve),
        passphraseFile: asked.passphrase_file === "" ? known.passphraseFile : asked.passphrase_file,
      };
      try {
        await recorded(
          env,
          "checkpoint",
          () => this.#freeze(asked, config, env),
          (work) => ({ stats: statsOf(work) }),
        );
        this.counts.checkpoints.done += 1;
      } catch (thrown) {
        this.counts.checkpoints.failed += 1;
        throw failed(thrown);
      }
      await writeConfig(config);
      await tellCondition("checkpointed");
      return { message: "App checkpointed" };
    });
  }

  async #freeze(asked: CheckpointRequest, config: Config, env: NodeJS.ProcessEnv): Promise<ImageWork> {
    const request = await freezeRequest(config, {
      shards: asked.num_shards === 0 ? 4 : asked.num_shards,
      budget: asked.cpu_budget === "" ? "medium" : asked.cpu_budget,
      ...{ leaveRunning: asked.leave_running, env },
    });
    await this.#daemon.checkpoint(request);
    for (;;) {
      const work = await this.#daemon.images.view(request.id, 1000);
      if (work.state === "done") return work;
      if (work.state === "failed") throw failureOf(work);
    }
  }
}

function words(line: string): string[] {
  try {
    return split(line);
  } catch (thrown) {
    throw new BadRequest(`app_args: ${messageOf(thrown)}`);
  }
}

/** All after the first `=` is the value. */
function variables(envs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    envs.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

function failed(thrown: unknown): unknown {
  if (thrown instanceof HttpError) return thrown;
  const { exit, details } = thrown instanceof Failure ? thrown : new Failure("");
  return new Exited(exit, messageOf(thrown), details);
}
