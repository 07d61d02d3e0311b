import { posix } from "node:path";

/** What the program keeps in the container for itself; nothing of the service may lie there. */
export const reservedPaths = ["/run/fastmig", "/run/fastmig-images", "/var/lib/fastmig", "/usr/lib/fastmig"];

/** An absolute path, normalised: no `.` part, no doubled or closing slash. `..`, `~` and `/` itself are refused. */
export function readPath(text: string): string {
  if (!text.startsWith("/"))
    throw new Error(`"${text}" is not an absolute path: it has to begin with / (~ has no meaning here)`);
  if (text.includes("\0")) throw new Error("a path must not hold the character NUL");
  if (text.split("/").includes("..")) throw new Error(`"${text}" holds "..": write the path without it`);
  const path = posix.normalize(text).replace(/(?<=.)\/$/, "");
  if (path === "/") throw new Error(`"${text}" is the whole file system: name what lies in it`);
  if (path.length > 4096) throw new Error("a path may have 4096 characters");
  return path;
}

/** Whether `inner` is `outer` or lies below it. Both normalised. */
export function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
