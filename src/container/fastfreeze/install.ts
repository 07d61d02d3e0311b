/** `fastfreeze install`: makes an image's file system ready for users other than root. */
import { execFile } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { messageOf } from "../../errors.js";
import { Failure } from "../failure.js";
import { Speech } from "../log.js";
import { parse } from "./options.js";
import { home } from "../paths.js";

const init = "/usr/lib/fastmig/init";
/** Of init's, not of CRIU's: a program with capabilities of its own takes no others along, and cannot be looked at by its user. */
const capabilities = "cap_setpcap,cap_sys_ptrace,cap_checkpoint_restore=p";

export async function install(words: readonly string[]): Promise<void> {
  const { values } = parse("install", words);
  const speech = new Speech("install", values.verbose?.length ?? 0);
  if (process.getuid?.() !== 0)
    throw new Failure("Only root can install: it belongs into the image's Dockerfile");
  await mkdir(home, { recursive: true });
  await chmod(home, 0o1777);
  try {
    await promisify(execFile)("setcap", [capabilities, init]);
  } catch (thrown) {
    throw new Failure(`Failed to give ${init} its capabilities: ${messageOf(thrown)}`);
  }
  speech.say(`Installed: any user may run applications; their state and logs are kept in ${home}`);
}
