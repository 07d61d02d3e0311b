/** What the CLI asked for: the daemon that comes after this one goes on with it. Holds the migration's secret. */
import { join } from "node:path";
import { SwitchoverRequest } from "../api.js";
import { removeFile } from "../at-once.js";
import { readIfThere, replaceDurably } from "../durable.js";

const file = (directory: string): string => join(directory, "switchover.json");

/** @param directory the migration's. Undefined where no switchover was asked for yet. */
export async function readSwitchover(directory: string): Promise<SwitchoverRequest | undefined> {
  const text = await readIfThere(file(directory));
  return text === undefined ? undefined : SwitchoverRequest.parse(JSON.parse(text));
}

export async function writeSwitchover(directory: string, request: SwitchoverRequest): Promise<void> {
  await replaceDurably(file(directory), JSON.stringify(request));
}

/** When the migration is over. */
export async function removeSwitchover(directory: string): Promise<void> {
  await removeFile(file(directory));
}
