import type { Node } from "../remote/node.js";
import { DaemonClient } from "../remote/daemon-client.js";
import { servicePaths, type ServicePaths } from "../remote/service-paths.js";
import type { Nodes } from "./nodes.js";

/** One end of a migration: a service's place on a node. Its connection is made when it is first used, and again when it was lost. */
export class Site {
  constructor(
    private readonly nodes: Nodes,
    readonly name: string,
    readonly service: string,
  ) {}

  get plan() {
    const planned = this.nodes.plan.nodes[this.name];
    if (planned === undefined) throw new Error(`the plan has no node ${this.name}`);
    return planned;
  }

  get paths(): ServicePaths {
    return servicePaths(this.service);
  }

  node(): Promise<Node> {
    return this.nodes.get(this.name);
  }

  /** Asks nothing yet: a daemon that is not there is noticed by the first request. */
  async daemon(): Promise<DaemonClient> {
    return new DaemonClient(await this.node(), this.paths.daemonSocket);
  }
}
