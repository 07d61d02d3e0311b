import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { assertNever } from "../../errors.js";
import { hostKeyCertified, hostKeyChanged, hostKeyRevoked, hostKeyUnknown } from "./host-key-errors.js";
import { judge, knownHostLine, knownTypes, newSalt, parseKnownHosts } from "./known-hosts.js";
import type { KnownHost } from "./known-hosts.js";
import { knownNames } from "./target.js";
import type { SshTarget } from "./target.js";

/** What this machine knows about a host's keys. */
export class HostKeys {
  readonly #target: SshTarget;
  readonly #entries: KnownHost[];

  private constructor(target: SshTarget, entries: KnownHost[]) {
    this.#target = target;
    this.#entries = entries;
  }

  static async of(target: SshTarget): Promise<HostKeys> {
    const files = [...target.userKnownHosts, ...target.globalKnownHosts];
    return new HostKeys(target, (await Promise.all(files.map(readKnownHosts))).flat());
  }

  /** The types of key that the host is known by. */
  types(): string[] {
    return knownTypes(this.#entries, knownNames(this.#target));
  }

  /** Throws unless the host is known by this key; with `acceptNew` an unknown host's key is taken and written down. */
  async check(key: Buffer, node: string, acceptNew: boolean): Promise<void> {
    const verdict = judge(this.#entries, knownNames(this.#target), key);
    switch (verdict.kind) {
      case "known":
        return;
      case "unknown":
        if (!acceptNew) throw hostKeyUnknown(node, this.#target, key);
        return this.#remember(key);
      case "changed":
        throw hostKeyChanged(node, this.#target, key, verdict.entry);
      case "revoked":
        throw hostKeyRevoked(node, key, verdict.entry);
      case "certAuthority":
        throw hostKeyCertified(node, this.#target, verdict.entry);
      default:
        return assertNever(verdict);
    }
  }

  async #remember(key: Buffer): Promise<void> {
    const file = this.#target.userKnownHosts[0];
    if (file === undefined) return;
    const [name = ""] = knownNames(this.#target);
    await appendLine(file, knownHostLine(name, key, this.#target.hashKnownHosts ? newSalt() : undefined));
  }
}

async function readKnownHosts(file: string): Promise<KnownHost[]> {
  return parseKnownHosts(file, await textOf(file));
}

/** Nothing where there is no such file. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw thrown;
  }
}

async function appendLine(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const before = await textOf(file);
  const text = before === "" || before.endsWith("\n") ? line : `\n${line}`;
  if (before === "") await writeFile(file, text, { mode: 0o600, flag: "a" });
  else await appendFile(file, text);
}
