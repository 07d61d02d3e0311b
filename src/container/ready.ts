/** What a container of FastFreeze's has to be before an application runs in it. */
import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { capability } from "../daemon/init-client.js";
import { hasCapability } from "../daemon/procfs.js";
import { exitCodes, Failure } from "./failure.js";
import { paths } from "./paths.js";

/** What another container of this file system left says nothing of this one. But for the lock, which init holds. */
export async function forgetEverything(): Promise<void> {
  const names = await readdir(paths.state);
  for (const name of names.filter((each) => each !== "lock"))
    await rm(join(paths.state, name), { recursive: true, force: true });
}

const needed = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"] as const;

/** Better now than when the application is to be saved. Throws Failure. */
export async function refuseWeakContainer(): Promise<void> {
  const has = await Promise.all(needed.map((name) => hasCapability(process.ppid, capability[name])));
  const lacking = needed.filter((_, at) => has[at] !== true);
  if (lacking.length === 0) return;
  throw new Failure(
    `This container lacks ${lacking.map((name) => `CAP_${name}`).join(", ")}, without which nothing can be frozen`,
    exitCodes.failure,
    [
      `run it with ${lacking.map((name) => `--cap-add=${name}`).join(" ")} --security-opt seccomp=unconfined`,
      "as another user than root it takes `RUN fastfreeze install` in the image, too",
    ],
  );
}

/** Throws Failure. */
export async function refuseUnreadable(passphraseFile: string): Promise<void> {
  await access(passphraseFile).catch(() => {
    throw new Failure(`The passphrase file ${passphraseFile} is not accessible`);
  });
}
