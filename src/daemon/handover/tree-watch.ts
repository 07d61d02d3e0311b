import type { OpenMigration, ReleaseProof } from "../api.js";
import { awaitDeath, awaitResume, killAll, type Scene, type TreeFate } from "./death.js";
import type { DumpRun } from "./dump-run.js";
import type { RunDeps } from "./half.js";
import { deathProof, dumpedTree, type DumpedTree } from "./tree-file.js";

/** The dumped tree of one migration: what becomes of it once a verdict stands. */
export class TreeWatch {
  readonly #deps: RunDeps;
  readonly #directory: string;
  readonly #run: DumpRun;
  #known: DumpedTree | undefined;

  /** @param directory the migration's. */
  constructor(deps: RunDeps, directory: string, run: DumpRun) {
    this.#deps = deps;
    this.#directory = directory;
    this.#run = run;
  }

  /** As it was written down in the freeze; before that the root alone. */
  async tree(): Promise<DumpedTree> {
    if (this.#known !== undefined) return this.#known;
    const tree = await dumpedTree(this.#deps, this.#directory);
    if (tree.facts !== null) this.#known = tree;
    return tree;
  }

  /** After `released`. */
  async death(): Promise<TreeFate> {
    return awaitDeath(await this.#scene());
  }

  /** After `aborted`. */
  async resumed(): Promise<TreeFate> {
    return awaitResume(await this.#scene());
  }

  /** Resolves when the whole tree is dead. */
  async killRest(): Promise<void> {
    await killAll(await this.tree(), this.#deps.life, this.#deps.processes);
  }

  /** Only where every process of the tree is dead. */
  async proof(open: OpenMigration): Promise<ReleaseProof> {
    return deathProof(open, await this.tree());
  }

  async #scene(): Promise<Scene> {
    const criuGone = await this.#run.watchEnd();
    return { tree: await this.tree(), life: this.#deps.life, criuGone, criuLog: () => this.#run.log() };
  }
}
