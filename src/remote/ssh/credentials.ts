import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import ssh2 from "ssh2";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { messageOf } from "../../errors.js";
import { ChosenKeys, agentKeys } from "./agent.js";
import { keyFacts, publicKeyOf } from "./identity-file.js";
import { fingerprint } from "./known-hosts.js";
import type { SshTarget } from "./target.js";

/** What can prove who we are, in the order in which it is offered, and what an error says about it. */
export interface Credentials {
  methods: AnyAuthMethod[];
  offered: string[];
  /** Why something configured was not offered. */
  withheld: string[];
  /** Identity files whose passphrase nobody gave. */
  locked: string[];
}

interface IdentityFile {
  path: string;
  /** Null: not there. */
  text: string | null;
  publicKey: Buffer | null;
  encrypted: boolean;
}

/** Files that ssh looks for by itself: that one is missing is no news. */
const usual = new Set([
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ecdsa_sk",
  "id_ed25519",
  "id_ed25519_sk",
  "id_xmss",
]);

/** As ssh does: the agent's keys that identity files name, the agent's others, then the files that the agent lacks. */
export async function credentialsFor(target: SshTarget): Promise<Credentials> {
  const files = await Promise.all(target.identityFiles.map(readIdentity));
  const agent = await askAgent(target.agent);
  const chosen = chooseAgentKeys(agent.keys, files, target.identitiesOnly);
  const left = files.filter((file) => !chosen.some((key) => isKeyOf(file, key)));
  const usable = left.filter((file) => file.text !== null && !file.encrypted && isPrivate(file.text));
  return {
    methods: [...agentMethod(target, chosen), ...usable.map((file) => fileMethod(target.user, file))],
    offered: [...chosen.map(describeAgentKey), ...usable.map(describeFile)],
    withheld: [...agent.withheld, ...left.flatMap(whyWithheld)],
    locked: left.filter((file) => file.encrypted).map((file) => file.path),
  };
}

async function askAgent(socketPath: string | null): Promise<{ keys: ParsedKey[]; withheld: string[] }> {
  if (socketPath === null) return { keys: [], withheld: ["no SSH agent (SSH_AUTH_SOCK is not set)"] };
  try {
    const keys = await agentKeys(socketPath);
    return { keys, withheld: keys.length > 0 ? [] : [`the agent at ${socketPath} holds no key`] };
  } catch (thrown) {
    return { keys: [], withheld: [`no agent at ${socketPath}: ${messageOf(thrown)}`] };
  }
}

function chooseAgentKeys(keys: ParsedKey[], files: IdentityFile[], identitiesOnly: boolean): ParsedKey[] {
  const named = files.flatMap((file) => keys.filter((key) => isKeyOf(file, key)));
  const others = identitiesOnly ? [] : keys.filter((key) => !named.includes(key));
  return [...new Set([...named, ...others])];
}

async function readIdentity(path: string): Promise<IdentityFile> {
  const text = await readOrNull(path);
  const beside = publicKeyOf((await readOrNull(`${path}.pub`)) ?? text ?? "");
  if (text === null) return { path, text, encrypted: false, publicKey: beside };
  const facts = keyFacts(text);
  return { path, text, encrypted: facts.encrypted, publicKey: facts.publicKey ?? beside };
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}

function isKeyOf(file: IdentityFile, key: ParsedKey): boolean {
  return file.publicKey !== null && file.publicKey.equals(key.getPublicSSH());
}

function isPrivate(text: string): boolean {
  const key = ssh2.utils.parseKey(text);
  return !(key instanceof Error) && key.isPrivateKey();
}

function agentMethod(target: SshTarget, keys: ParsedKey[]): AnyAuthMethod[] {
  if (keys.length === 0 || target.agent === null) return [];
  return [{ type: "agent", username: target.user, agent: new ChosenKeys(target.agent, keys) }];
}

function fileMethod(username: string, file: IdentityFile): AnyAuthMethod {
  return { type: "publickey", username, key: file.text ?? "" };
}

function describeAgentKey(key: ParsedKey): string {
  return `agent: ${key.type} ${fingerprint(key.getPublicSSH())} ${key.comment}`.trimEnd();
}

function describeFile(file: IdentityFile): string {
  return `${file.path}${file.publicKey ? ` ${fingerprint(file.publicKey)}` : ""}`;
}

function whyWithheld(file: IdentityFile): string[] {
  if (file.text === null) return usual.has(basename(file.path)) ? [] : [`${file.path}: not there`];
  if (file.encrypted) return [`${file.path}: has a passphrase and is not in the agent`];
  return isPrivate(file.text) ? [] : [`${file.path}: no private key of a kind that can be used`];
}
