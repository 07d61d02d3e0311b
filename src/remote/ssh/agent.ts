import { BaseAgent, createAgent } from "ssh2";
import type { IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from "ssh2";

/** The keys that an agent holds. Rejects where no agent listens. */
export function agentKeys(socketPath: string): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    createAgent(socketPath).getIdentities((error, keys) =>
      error ? reject(error) : resolve((keys ?? []) as ParsedKey[]),
    );
  });
}

/** An agent that shows the given keys alone, in the given order. */
export class ChosenKeys extends BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent;
  readonly #keys: ParsedKey[];

  constructor(socketPath: string, keys: ParsedKey[]) {
    super();
    this.#agent = createAgent(socketPath);
    this.#keys = keys;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(null, this.#keys);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === "function") this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, done);
  }
}
