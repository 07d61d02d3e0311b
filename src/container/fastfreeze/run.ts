/** `fastfreeze run`: restores the application, or runs it from scratch, and stays with it as its daemon. */
import type { Ended } from "../../daemon/api.js";
import type { Daemon } from "../../daemon/daemon.js";
import { connectToInit, makeDaemon, open } from "../../daemon/host.js";
import { stopSignals } from "../../daemon/init-client.js";
import { type Policy, statusOf } from "../../daemon/policy.js";
import type { Processes } from "../../daemon/processes.js";
import { isDead, lifeId, readStat } from "../../daemon/procfs.js";
import { messageOf } from "../../errors.js";
import { pause, waitFor } from "../../wait.js";
import { farewell } from "../application.js";
import { type Config, joinPaths, recallConfig, writeConfig } from "../config.js";
import { exitCodes, Failure } from "../failure.js";
import { defaultImageUrl, readImageUrl } from "../image-url.js";
import { launch, type Launch } from "../launch.js";
import { elapsed, Speech } from "../log.js";
import { record } from "../metrics.js";
import { onAppReady } from "../on-app-ready.js";
import { paths } from "../paths.js";
import { forgetEverything, refuseUnreadable, refuseWeakContainer } from "../ready.js";
import { criuOptionsOf, pathsOf } from "../words.js";
import { helpOf } from "./help.js";
import { parse, remapsOf } from "./options.js";

/** Milliseconds that a `checkpoint` has for its last word before the container ends, and that it takes to be heard. */
const lastWords = 5000;
const echo = 1000;

/** Ends this container where it fails; else the application's end does. */
export async function run(words: readonly string[], failed: (thrown: unknown) => number): Promise<void> {
  let application: Run | undefined;
  const processes = connectToInit({ info: () => undefined, error: () => undefined }, (signal) => {
    if (application !== undefined) void application.pass(signal);
    else if (stopSignals.includes(signal)) void processes.init.shutdown(128 + signal);
  });
  try {
    const parsed = parse("run", words);
    if (parsed.values.help === true) {
      process.stdout.write(helpOf.run);
      return await processes.init.shutdown(0);
    }
    remapsOf(parsed.values["tcp-listen-remap"]);
    const speech = new Speech("run", parsed.values.verbose?.length ?? 0);
    application = new Run(parsed, speech, await lifeId());
    await application.begin(processes);
  } catch (thrown) {
    await processes.init.shutdown(failed(thrown));
  }
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

  /** To the application, as if it were this process; one that came too early or too late ends this one, where it is of that kind. */
  async pass(signal: number): Promise<void> {
    const root = this.#daemon?.deps.service.process;
    if (root !== undefined) await this.#daemon?.deps.processes.kill(root.pid, signal);
    else if (stopSignals.includes(signal)) await this.#end(128 + signal);
  }

  /** Resolves when the application runs. Throws Failure. */
  async begin(processes: Processes): Promise<void> {
    const earlier = await recallConfig(this.#life);
    if (earlier === undefined) await forgetEverything();
    await this.#speech.intoFile();
    const daemon = await makeDaemon(processes, { paths, policy: this.policy, log: this.#speech.log });
    this.#daemon = daemon;
    await open(daemon);
    if (earlier?.ready === true) return this.#goOn(daemon);
    try {
      const config = await this.#start(daemon);
      await writeConfig({ ...config, ready: true });
      const script = this.#options["on-app-ready"];
      if (script !== undefined) onAppReady(script, this.#speech);
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
    const preserve = await launch(daemon, { ...config, ...this.#launch() }, this.#speech);
    return { ...config, preserve };
  }

  #launch(): Omit<Launch, keyof Config> {
    const options = this.#options;
    return {
      ...{
        command: this.#command,
        env: process.env,
        criuOptions: criuOptionsOf(process.env),
        coldStart: "if-missing",
      },
      listenRemap: remapsOf(options["tcp-listen-remap"]),
      noRestore: options["no-restore"] === true,
      anyVersion: options["allow-bad-image-version"] === true,
      leaveStopped: options["leave-stopped"] === true,
    };
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

  /** Whoever asked for the checkpoint is in this container, and ends with it. */
  async #awaitAsker(): Promise<void> {
    const asker = (await recallConfig(this.#life))?.asker ?? null;
    const stat = asker === null ? undefined : await readStat(asker);
    if (stat === undefined) return;
    const gone = async (): Promise<true | undefined> => ((await isDead(stat)) ? true : undefined);
    await waitFor("its end", gone, { timeout: lastWords, interval: 20 }).catch(() => undefined);
    // Whoever ran it there, as Podman does, has yet to hear of its end, and hears nothing once the container is gone.
    await pause(echo);
  }

  async #leave(ended: Ended): Promise<number> {
    const status = statusOf(ended);
    this.#speech.say(farewell(ended));
    await this.#recordEnd(status, farewell(ended));
    return status;
  }

  async #recordEnd(status: number, error: string): Promise<void> {
    const told = { action: "run", duration: elapsed(), exit_code: status };
    await record(process.env, {
      ...told,
      ...(status === 0 ? { outcome: "success" } : { outcome: "error", error }),
    });
  }

  async #end(status: number): Promise<void> {
    await this.#daemon?.deps.processes.init.shutdown(status);
  }
}
