/** FastMig's daemon: FastFreeze behind a port. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import openApi from "../../../docs/ff-daemon.openapi.json" with { type: "json" };
import type { Ended } from "../../daemon/api.js";
import type { Daemon } from "../../daemon/daemon.js";
import { makeDaemon, open } from "../../daemon/host.js";
import { type Policy, statusOf } from "../../daemon/policy.js";
import type { Processes } from "../../daemon/processes.js";
import { lifeId } from "../../daemon/procfs.js";
import { serve } from "../../daemon/router.js";
import { documentRoute } from "../../daemon/routes/index.js";
import { messageOf } from "../../errors.js";
import { pause } from "../../wait.js";
import { farewell } from "../application.js";
import { recallConfig } from "../config.js";
import { elapsed, type Speech } from "../log.js";
import { record } from "../metrics.js";
import { paths } from "../paths.js";
import { forgetEverything, refuseWeakContainer } from "../ready.js";
import { RunRequest } from "./api.js";
import { guarded, openDoor } from "./guard.js";
import { Operations } from "./operations.js";
import { decide, startMode, tellCondition } from "./outside.js";
import type { Options } from "./options.js";
import { routesOf } from "./routes.js";

/** Milliseconds that the application has to end when its container is stopped; a second before init loses its patience. */
const stopTimeout = 7000;
/** Milliseconds in which whoever asked hears the answer before the container ends. */
const echo = 500;

export class FfDaemon {
  readonly #options: Options;
  readonly #speech: Speech;
  #operations: Operations | undefined;

  constructor(options: Options, speech: Speech) {
    this.#options = options;
    this.#speech = speech;
  }

  readonly policy: Policy = {
    afterEnd: (ended) => this.#ended(ended),
    afterFreeze: async () => {
      const status = await this.#ended({ code: null, signal: "9", at: "" });
      await tellCondition("checkpointed");
      await pause(echo);
      return status;
    },
    rootAdopts: true,
    ownLayer: true,
  };

  /** The container ends with its application where that was asked for; how it begins next is decided before. */
  async #ended(ended: Ended): Promise<number | null> {
    const status = statusOf(ended);
    this.#speech.say(farewell(ended));
    await tellCondition("standby");
    await decide(this.#options.decider, status, this.#speech);
    const outcome = status === 0 ? "success" : "error";
    // A program of the user's may decide otherwise: it comes after us.
    await record(this.#operations?.env ?? process.env, {
      action: "run",
      duration: elapsed(),
      outcome,
      exit_code: status,
    });
    return this.#options.kill ? status : null;
  }

  async begin(processes: Processes): Promise<void> {
    const life = await lifeId();
    const earlier = await recallConfig(life);
    if (earlier === undefined) await forgetEverything();
    await refuseWeakContainer();
    const daemon = await makeDaemon(processes, { paths, policy: this.policy, log: this.#speech.log });
    this.stop = () => void daemon.shutDown(stopTimeout);
    await open(daemon);
    const operations = new Operations(daemon, life, this.#speech);
    this.#operations = operations;
    if (earlier === undefined) await this.#enter(operations);
    await this.#listen(daemon, operations);
  }

  /** What is done where the container is stopped. */
  stop: (() => void) | undefined;

  /** -e, as the start mode says. Throws Failure where the application does not come up. */
  async #enter(operations: Operations): Promise<void> {
    const { entry, decider } = this.#options;
    await tellCondition("standby");
    const mode = (await readFile(decider, "utf8").catch(() => startMode.standby))[0] ?? startMode.standby;
    if (entry === null || mode === startMode.standby) return;
    const request = await this.#read(entry);
    if (request === null) return;
    await operations.run(mode === startMode.scratch ? { ...request, no_restore: true } : request);
  }

  async #read(entry: string): Promise<RunRequest | null> {
    try {
      return RunRequest.parse(JSON.parse(await readFile(entry, "utf8")));
    } catch (thrown) {
      this.#speech.say(`${entry} is of no use, waiting to be asked: ${messageOf(thrown)}`);
      return null;
    }
  }

  async #listen(daemon: Daemon, operations: Operations): Promise<void> {
    const { host, token, word } = await openDoor(process.env);
    const routes = [...routesOf(daemon, operations), documentRoute(openApi)];
    const server = createServer({ requestTimeout: 30_000 }, guarded(token, serve(routes, this.#speech.log)));
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(this.#options.port, host, resolve);
    });
    if (word !== null) this.#speech.say(word);
    this.#speech.say(`Listening on http://${host}:${this.#options.port}`);
  }
}
