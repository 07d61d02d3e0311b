import { exitCodes, FastmigError } from "../errors.js";
import type { Plan } from "../plan/plan.js";
import { connectNode, type ConnectOptions } from "../remote/connect.js";
import type { Node } from "../remote/node.js";

/** One connection per node of a plan, shared by all its migrations; a lost one is made anew when it is next asked for. */
export class Nodes {
  readonly #open = new Map<string, Promise<Node>>();

  constructor(
    readonly plan: Pick<Plan, "nodes">,
    private readonly options: ConnectOptions,
    private readonly connect: typeof connectNode = connectNode,
  ) {}

  /** Throws FastmigErrors of exit 4. */
  get(name: string): Promise<Node> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const made = this.#connect(name);
    this.#open.set(name, made);
    const forget = (): void => void (this.#open.get(name) === made && this.#open.delete(name));
    made.then((node) => node.lost.then(forget), forget);
    return made;
  }

  async close(): Promise<void> {
    const all = await Promise.allSettled(this.#open.values());
    await Promise.allSettled(all.filter((one) => one.status === "fulfilled").map((one) => one.value.close()));
  }

  async #connect(name: string): Promise<Node> {
    const planned = this.plan.nodes[name];
    if (planned === undefined)
      throw new FastmigError(`the plan has no node ${name}`, { code: "UNKNOWN_NODE", exit: exitCodes.usage });
    return this.connect(planned, this.options);
  }
}
