/** Asks the daemon of this container, on its socket. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { ErrorBody, ImageWork, Status } from "../daemon/api.js";
import type { CheckpointRequest } from "../daemon/api.js";

/** What the daemon answered instead of what was asked for; `code` is its own, or NO_DAEMON. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** Milliseconds beside those that the daemon was told to wait. */
const patience = 30_000;

export class SocketClient {
  constructor(private readonly socket: string) {}

  async status(): Promise<Status> {
    return Status.parse(await this.#ask("GET", "/status"));
  }

  async checkpoint(asked: CheckpointRequest): Promise<ImageWork> {
    return ImageWork.parse(await this.#ask("POST", "/image/checkpoint", asked));
  }

  /** As soon as it is over, or after `within` milliseconds. */
  async image(id: string, within: number): Promise<ImageWork> {
    return ImageWork.parse(await this.#ask("GET", `/image/${id}?within=${within}`));
  }

  async abortImage(id: string): Promise<ImageWork> {
    return ImageWork.parse(await this.#ask("POST", `/image/${id}/abort`, {}));
  }

  /** Throws Refused. */
  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { status, content } = await this.#send(method, path, body).catch((thrown: Error) => {
      throw new Refused(thrown.message, "NO_DAEMON");
    });
    const answer: unknown = JSON.parse(content);
    if (status < 300) return answer;
    const { code, message } = ErrorBody.parse(answer).error;
    throw new Refused(message, code);
  }

  #send(method: string, path: string, body?: object): Promise<{ status: number; content: string }> {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; content: string }>();
    const asking = request({ socketPath: this.socket, method, path, headers, timeout: patience });
    asking.on("timeout", () => asking.destroy(new Error("the daemon does not answer")));
    asking.on("error", reject);
    asking.on("response", (response) => {
      text(response).then((content) => resolve({ status: response.statusCode ?? 0, content }), reject);
    });
    asking.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }
}
