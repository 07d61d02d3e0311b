import { readFile } from "node:fs/promises";

export interface Identity {
  uid: number;
  gid: number;
  groups: number[];
  home: string;
  name: string;
}

interface Databases {
  passwd: string;
  group: string;
}

const rows = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));

/**
 * `name`, `uid`, `name:group` or `uid:gid`, as container engines read a user.
 * A number that no entry has is allowed, with group 0 where none is given (as Docker does). Throws on an unknown name.
 */
export function identityOf(user: string, databases: Databases): Identity {
  const [who = "", group] = user.split(":", 2);
  const entry = rows(databases.passwd).find((row) => row[0] === who || row[2] === who);
  const [name, , uid, ownGid, , home] = entry ?? unlisted(who);
  const gid = group === undefined ? Number(ownGid) : groupId(group, databases.group);
  return {
    uid: Number(uid),
    gid,
    groups: groupsOf(String(name), gid, databases.group),
    home: String(home),
    name: String(name),
  };
}

/** A passwd entry for a number that has none. */
function unlisted(who: string): string[] {
  if (!/^\d+$/.test(who)) throw new Error(`no user ${who} in the container's /etc/passwd`);
  return [who, "x", who, "0", "", "/", ""];
}

function groupId(group: string, database: string): number {
  const entry = rows(database).find((row) => row[0] === group || row[2] === group);
  if (entry === undefined && !/^\d+$/.test(group))
    throw new Error(`no group ${group} in the container's /etc/group`);
  return Number(entry?.[2] ?? group);
}

function groupsOf(name: string, gid: number, database: string): number[] {
  const member = rows(database).filter((row) => (row[3] ?? "").split(",").includes(name));
  return [...new Set([gid, ...member.map((row) => Number(row[2]))])];
}

export async function lookUpUser(user: string): Promise<Identity> {
  const [passwd, group] = await Promise.all([
    readFile("/etc/passwd", "utf8"),
    readFile("/etc/group", "utf8"),
  ]);
  return identityOf(user, { passwd, group });
}
