/** How FastFreeze's users write down several things in one word. */
import { resolve } from "node:path";

/** Paths, each word of which may be several with colons. */
export function pathsOf(words: readonly string[] = []): string[] {
  return words
    .flatMap((word) => word.split(":"))
    .filter((path) => path !== "")
    .map((path) => resolve(path));
}

/** CRIU_OPTS. */
export function criuOptionsOf(env: NodeJS.ProcessEnv): string[] {
  return (env["CRIU_OPTS"] ?? "").split(/\s+/).filter((word) => word !== "");
}
