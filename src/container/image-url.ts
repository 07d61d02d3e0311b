/** Where an application's image lies. */
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { messageOf } from "../errors.js";
import { formatImageUrl, parseImageUrl } from "../image/url.js";
import { Failure } from "./failure.js";

/** A path may be relative to where the command is run. Throws Failure. */
export function readImageUrl(text: string): string {
  const path = /^(?:file:)?(?![a-z][a-z0-9+.-]*:)(.+)$/s.exec(text)?.[1];
  try {
    return formatImageUrl(parseImageUrl(path === undefined ? text : `file:${resolve(path)}`));
  } catch (thrown) {
    throw new Failure(messageOf(thrown));
  }
}

/** One for each command line: `file:$HOME/.fastfreeze/app.sh-3f0a`. Throws Failure. */
export function defaultImageUrl(command: readonly string[], home: string | undefined): string {
  if (home === undefined || home === "")
    throw new Failure("Failed to determine home directory. Please set $HOME, or use --image-url");
  const [program = "", ...rest] = command;
  const hash = createHash("sha256").update(command.join("\0")).digest("hex").slice(0, 4);
  const name = rest.length === 0 ? basename(program) : `${basename(program)}-${hash}`;
  return `file:${join(home, ".fastfreeze", name)}`;
}
