/** Readers of single words. Each returns what it read or throws an Error whose message is the plan's problem. */
import { isIP } from "node:net";

const name = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const userForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/;
const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

/** A node's or a service's name; a service's is also its container's name and its directories' on the node. */
export function readName(text: string): string {
  if (name.test(text)) return text;
  throw new Error(`"${text}" is not a name: a-z and 0-9, after the first also . _ -, at most 63`);
}

export function readEnvName(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return text;
  throw new Error(`"${text}" is not a variable's name: letters, digits and _, no digit first`);
}

/** A host name or an address, without user and port. */
export function readHost(text: string): string {
  if (isIP(text) !== 0 || hostName.test(text)) return text;
  if (text.includes("@")) throw new Error(`"${text}" is not a host: write the part before @ under user`);
  if (/:[0-9]+$/.test(text)) throw new Error(`"${text}" is not a host: write the number after : under port`);
  throw new Error(`"${text}" is not a host name or an address`);
}

export function readAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new Error(`"${text}" is not an IP address`);
}

/** `name`, `uid`, `name:group` or `uid:gid`. */
export function readUser(text: string): string {
  if (userForm.test(text)) return text;
  throw new Error(`"${text}" is not a user: name, uid, name:group or uid:gid`);
}

/** The login user on a node. */
export function readLogin(text: string): string {
  if (/^[^\s@:-][^\s@:]*$/.test(text)) return text;
  throw new Error(`"${text}" is not a user's name`);
}

/** One word that reaches a command line as its own argument: a leading `-` would make it an option. */
export function readWord(text: string): string {
  if (/^[^\s-]\S*$/.test(text)) return text;
  throw new Error(`"${text}" is not one word: it must not be empty, hold spaces or begin with -`);
}

/** Anything that can be an argument of a command, the empty one too. */
export function readArgument(text: string): string {
  if (!text.includes("\0") && text.length <= 4096) return text;
  throw new Error("may have 4096 characters, none of them NUL");
}

export function readEnvValue(text: string): string {
  if (!text.includes("\0")) return text;
  throw new Error("must not hold the character NUL");
}
