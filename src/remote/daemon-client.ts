import * as z from "zod/mini";
import {
  CanaryResult,
  CpuCheckResult,
  CpuImage,
  ImageWork,
  MigrationView,
  ReachResult,
  Status,
} from "../daemon/api.js";
import type {
  AbortRequest,
  CanaryRequest,
  CheckpointRequest,
  ListenRequest,
  OpenMigration,
  ReleaseProof,
  ResolveRequest,
  ReachRequest,
  RestoreRequest,
  RoundRequest,
  RunRequest,
  StopRequest,
  SwitchoverRequest,
  TuneRequest,
} from "../daemon/api.js";
import { waitFor } from "../wait.js";
import type { WaitOptions } from "../wait.js";
import { answerError, brokenAnswer, jsonOf } from "./daemon-errors.js";
import { ask } from "./daemon-http.js";
import type { AskOptions, HttpRequest } from "./daemon-http.js";
import type { Node } from "./node.js";

export { isLocked, isRoundUnderWay, isUnknownMigration } from "./daemon-errors.js";
export type { AskOptions } from "./daemon-http.js";

/** Milliseconds for what runs CRIU or a process, on a machine that has other work. */
const slow = 120_000;

/**
 * The daemon of one service on one node. Costs nothing to make: connections are kept per node and socket. Every method throws
 * a FastmigError under the daemon's own code (LOCKED has exit code 7), NO_DAEMON, DAEMON_DEAD, DAEMON_TIMEOUT, DAEMON_ANSWER, or
 * ANSWER_LOST, after which it is not known whether the daemon did it.
 */
export class DaemonClient {
  readonly #node: Node;
  readonly #socket: string;

  constructor(node: Node, socket: string) {
    this.#node = node;
    this.#socket = socket;
  }

  status(options?: AskOptions): Promise<Status> {
    return this.#get("/status", Status, options);
  }

  /** Resolves when the daemon answers; a WaitTimeout tells why it does not. */
  waitReady(options: WaitOptions): Promise<Status> {
    return waitFor(
      `the daemon on node ${this.#node.name}`,
      () => this.status({ signal: options.signal }),
      options,
    );
  }

  async openApi(options?: AskOptions): Promise<unknown> {
    return this.#get("/openapi.json", z.unknown(), options);
  }

  run(request: RunRequest, options?: AskOptions): Promise<Status> {
    return this.#post("/run", request, Status, { timeout: slow, ...options });
  }

  stop(request: StopRequest, options?: AskOptions): Promise<Status> {
    return this.#post("/stop", request, Status, { timeout: request.timeout + slow, ...options });
  }

  canary(request: CanaryRequest, options?: AskOptions): Promise<CanaryResult> {
    return this.#post("/canary", request, CanaryResult, { timeout: slow, ...options });
  }

  cpuDump(options?: AskOptions): Promise<CpuImage> {
    return this.#post("/cpu/dump", undefined, CpuImage, { timeout: slow, ...options });
  }

  cpuCheck(image: CpuImage, options?: AskOptions): Promise<CpuCheckResult> {
    return this.#post("/cpu/check", image, CpuCheckResult, { timeout: slow, ...options });
  }

  /** Answers when it has begun; `image` tells how it goes. LOCKED names what is under way. */
  checkpoint(request: CheckpointRequest, options?: AskOptions): Promise<ImageWork> {
    return this.#post("/image/checkpoint", request, ImageWork, options);
  }

  restore(request: RestoreRequest, options?: AskOptions): Promise<ImageWork> {
    return this.#post("/image/restore", request, ImageWork, options);
  }

  /** A checkpoint or a restore, as soon as it is over, or after `within` milliseconds. */
  image(id: string, within: number, options?: AskOptions): Promise<ImageWork> {
    return this.#get(`/image/${id}?within=${within}`, ImageWork, options);
  }

  /** Gives it up where that is still possible; answers when it is over. */
  abortImage(id: string, options?: AskOptions): Promise<ImageWork> {
    return this.#post(`/image/${id}/abort`, {}, ImageWork, { timeout: slow, ...options });
  }

  /** Opens a migration: the lock. LOCKED names the one that is open. */
  open(migration: OpenMigration, options?: AskOptions): Promise<MigrationView> {
    return this.#post("/migrations", migration, MigrationView, options);
  }

  /** As soon as nothing of it is under way, or after `within` milliseconds. */
  migration(id: string, within = 0, options?: AskOptions): Promise<MigrationView> {
    const query = within === 0 ? "" : `?within=${within}`;
    return this.#get(`/migrations/${id}${query}`, MigrationView, options);
  }

  listen(id: string, request: ListenRequest, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "listen", request, options);
  }

  /** Of the source's daemon: whether it reaches the peer. */
  reach(id: string, request: ReachRequest, options?: AskOptions): Promise<ReachResult> {
    return this.#post(`/migrations/${id}/reach`, request, ReachResult, { timeout: slow, ...options });
  }

  /** Answers when the round has begun; `migration` tells how it goes. NOT_READY where the kernel cannot track pages. */
  round(id: string, request: RoundRequest, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "rounds", request, { timeout: slow, ...options });
  }

  tune(id: string, request: TuneRequest, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "tune", request, options);
  }

  /** Answers when the switchover has begun; `migration` tells how it goes. */
  switchover(id: string, request: SwitchoverRequest, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "switchover", request, { timeout: slow, ...options });
  }

  /** Asks to give it up; whether it was is what the state says. */
  abort(
    id: string,
    request: AbortRequest = { sourceAborted: false },
    options?: AskOptions,
  ): Promise<MigrationView> {
    return this.#act(id, "abort", request, { timeout: slow, ...options });
  }

  released(id: string, proof: ReleaseProof, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "released", proof, { timeout: slow, ...options });
  }

  confirm(id: string, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "confirm", undefined, options);
  }

  resolve(id: string, request: ResolveRequest, options?: AskOptions): Promise<MigrationView> {
    return this.#act(id, "resolve", request, { timeout: slow, ...options });
  }

  #act(id: string, verb: string, body: unknown, options?: AskOptions): Promise<MigrationView> {
    return this.#post(`/migrations/${id}/${verb}`, body, MigrationView, options);
  }

  #get<T extends z.ZodMiniType>(path: string, answer: T, options: AskOptions = {}): Promise<z.infer<T>> {
    return this.#ask({ method: "GET", path }, answer, options);
  }

  #post<T extends z.ZodMiniType>(
    path: string,
    body: unknown,
    answer: T,
    options: AskOptions = {},
  ): Promise<z.infer<T>> {
    return this.#ask({ method: "POST", path, body: body ?? {} }, answer, options);
  }

  async #ask<T extends z.ZodMiniType>(
    request: HttpRequest,
    schema: T,
    options: AskOptions,
  ): Promise<z.infer<T>> {
    const asked = { node: this.#node, socket: this.#socket, what: `${request.method} ${request.path}` };
    const { status, text } = await ask(this.#node, this.#socket, request, options);
    if (status < 200 || status > 299) throw answerError(asked, status, text);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw brokenAnswer(
      asked,
      parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    );
  }
}
