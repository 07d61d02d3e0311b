import { readFile, readdir } from "node:fs/promises";
import { attempt } from "./run.js";

const debian = "http://deb.debian.org/debian";

/** Where this machine's apt takes Debian from; Debian's own address where it is no Debian. */
export async function hostMirror(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID=debian$/m.test(release)) return debian;
  const dir = "/etc/apt/sources.list.d";
  const names = (await readdir(dir).catch(() => [])).sort();
  const files = [
    "/etc/apt/sources.list",
    ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => `${dir}/${name}`),
  ];
  for (const file of files) {
    const found = findMirror(await readFile(file, "utf8").catch(() => ""), codename(release));
    if (found !== undefined) return found;
  }
  return debian;
}

const codename = (release: string): string => /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? "stable";

/** Pure: the archive that serves `suite`'s main, out of a file of apt's in either format. */
export function findMirror(text: string, suite: string): string | undefined {
  const sources = text.includes("URIs:") ? stanzas(text) : lines(text);
  return sources
    .find((source) => source.suites.includes(suite) && /^https?:/.test(source.uri))
    ?.uri.replace(/\/$/, "");
}

interface Source {
  uri: string;
  suites: string[];
}

function stanzas(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:(.*)$`, "m").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    const suites = field("Suites");
    return field("Types").includes("deb") && !field("Enabled").includes("no")
      ? field("URIs").map((uri) => ({ uri, suites }))
      : [];
  });
}

function lines(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const [, uri, suite] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s/.exec(`${line} `) ?? [];
    return uri === undefined || suite === undefined ? [] : [{ uri, suites: [suite] }];
  });
}

/** This machine's settings of how apt fetches: proxies, and whether it minds an old Release file. */
export async function aptOptions(): Promise<string[]> {
  const dump = await attempt(["apt-config", "dump"]);
  return dump.ok ? fetchOptions(dump.stdout) : [];
}

/** Pure: reads the output of `apt-config dump`. A proxy found by a script of this machine helps nobody else. */
export function fetchOptions(dump: string): string[] {
  const wanted = /^Acquire::(https?::Proxy(::\S+)?|Check-Valid-Until|Check-Date|Retries) "[^"]+";$/i;
  return dump.split("\n").filter((line) => wanted.test(line));
}
