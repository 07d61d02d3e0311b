/** FF_METRICS_RECORDER: a program that is told, as JSON in its first argument, what was done and how it went. */
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { elapsed, invocationId } from "./log.js";

type Event = Record<string, unknown>;

/** Milliseconds that it may take. */
const patience = 10_000;

/** Resolves when FF_METRICS_RECORDER of that environment has been told, whatever became of it. */
export async function record(env: NodeJS.ProcessEnv, event: Event): Promise<void> {
  const recorder = env["FF_METRICS_RECORDER"];
  if (recorder === undefined || recorder === "") return;
  const told = JSON.stringify({
    invocation_id: invocationId,
    elapsed_time: elapsed(),
    cli_args: ["fastfreeze", ...process.argv.slice(2)],
    ...event,
  });
  const [program, words] = (await isProgram(recorder)) ? [recorder, []] : shell(recorder);
  const child = spawn(program, [...words, told], {
    stdio: ["ignore", "inherit", "inherit"],
    timeout: patience,
  });
  await new Promise<void>((resolve) => {
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  });
}

/** `action` is told of with its duration and its outcome. */
export async function recorded<T>(
  env: NodeJS.ProcessEnv,
  action: string,
  deed: () => Promise<T>,
  more: (result: T) => Event = () => ({}),
): Promise<T> {
  const begun = elapsed();
  try {
    const result = await deed();
    await record(env, { action, duration: elapsed() - begun, outcome: "success", ...more(result) });
    return result;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    await record(env, { action, duration: elapsed() - begun, outcome: "error", error });
    throw thrown;
  }
}

/** How FastFreeze runs what a user wrote; its arguments follow. */
export function shell(script: string): [string, string[]] {
  return ["/bin/bash", ["-o", "pipefail", "-c", script, "--"]];
}

async function isProgram(path: string): Promise<boolean> {
  if (!path.includes("/")) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
