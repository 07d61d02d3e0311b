/** What `run` and `checkpoint` know of the application, for those that come after them. */
import { chown, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { messageOf } from "../errors.js";
import { replaceDurably } from "../daemon/durable.js";
import { Failure } from "./failure.js";
import { configFile } from "./paths.js";

const Config = z.object({
  /** The container's, in which it was written: in another one nothing of it holds. */
  life: z.string(),
  /** Whether the application has run already. */
  ready: z.boolean(),
  imageUrl: z.string(),
  preserve: z.array(z.string()),
  passphraseFile: z.nullable(z.string()),
  /** The PID of a `checkpoint` that is to have its last word before the container ends. */
  asker: z.nullable(z.int()),
});
export type Config = z.infer<typeof Config>;

/** Throws Failure where there is none. */
export async function readConfig(): Promise<Config> {
  try {
    return Config.parse(JSON.parse(await readFile(configFile, "utf8")));
  } catch (thrown) {
    throw new Failure(
      `Failed to open ${configFile}. It is created during the run command: ${messageOf(thrown)}`,
    );
  }
}

export async function recallConfig(life: string): Promise<Config | undefined> {
  const config = await readConfig().catch(() => undefined);
  return config?.life === life ? config : undefined;
}

/** Also by root, on behalf of the user whose application it is. */
export async function writeConfig(config: Config): Promise<void> {
  await replaceDurably(configFile, `${JSON.stringify(config, null, 2)}\n`);
  const { uid, gid } = await stat(dirname(configFile));
  await chown(configFile, uid, gid);
}

/** All that were ever named: a path that was preserved once always is. */
export function joinPaths(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
