import type { Progress } from "../migration/progress.js";
import { plainProgress } from "./plain.js";

export interface Display {
  progress: Progress;
  /** Resolves when everything is drawn; stderr is the caller's again. */
  end(): Promise<void>;
}

export type DisplayKind = "drawn" | "plain" | "silent";

/** `--json` is silent; a pipe, CI and a dumb terminal get plain lines. */
export function displayKind(json: boolean, isTTY: boolean, env: NodeJS.ProcessEnv): DisplayKind {
  if (json) return "silent";
  const ci = env["CI"] !== undefined && env["CI"] !== "" && env["CI"] !== "false";
  return isTTY && !ci && env["TERM"] !== "dumb" ? "drawn" : "plain";
}

export async function openDisplay(json: boolean): Promise<Display> {
  const kind = displayKind(json, process.stderr.isTTY, process.env);
  switch (kind) {
    case "silent":
      return { progress: () => undefined, end: () => Promise.resolve() };
    case "plain":
      return {
        progress: plainProgress((line) => process.stderr.write(`${line}\n`)),
        end: () => Promise.resolve(),
      };
    case "drawn": {
      const { ListrDisplay } = await import("./listr.js");
      return new ListrDisplay();
    }
  }
}
