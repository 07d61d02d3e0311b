import { spawn } from "node:child_process";
import type { Speech } from "./log.js";
import { shell } from "./metrics.js";

/** Runs what a user wants to be run once the application runs, and does not wait for it. */
export function onAppReady(script: string, speech: Speech): void {
  const [program, words] = shell(script);
  spawn(program, words, { stdio: ["ignore", "inherit", "inherit"] }).on("error", (error) =>
    speech.say(`What was to be run now is not: ${error.message}`),
  );
}
