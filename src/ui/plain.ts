import type { Progress, ProgressEvent } from "../migration/progress.js";
import { formatDuration } from "../units.js";
import { moved } from "./moved.js";
import { roundText } from "./round.js";

/** At least so many milliseconds between two lines of the same step's progress. */
const quiet = 5000;

/** Quiet lines with their time, for logs: no cursor movement, no spinner. */
export function plainProgress(write: (line: string) => void, now: () => Date = () => new Date()): Progress {
  const last = new Map<string, number>();
  return (event) => {
    const text = lineOf(event);
    const at = now();
    if (text === null) return;
    if (event.kind === "moved") {
      const key = `${event.migration} ${event.step}`;
      if (at.getTime() - (last.get(key) ?? -Infinity) < quiet) return;
      last.set(key, at.getTime());
    }
    write(`${at.toISOString()} ${event.migration}: ${text}`);
  };
}

export function lineOf(event: ProgressEvent): string | null {
  switch (event.kind) {
    case "planned":
    case "started":
    case "stands":
      return null;
    case "moved":
      return `${event.step}: ${moved(event)}`;
    case "round":
      return `${event.step}: ${roundText(event.round)}`;
    case "said":
      return `${event.step}: ${event.text}`;
    case "ended":
      return `${event.step}: done in ${formatDuration(event.ms)}`;
    case "failed":
      return `${event.step}: failed: ${event.message}`;
    case "undone":
      return `${event.step}: undone: ${event.found}`;
    case "closed":
      return event.text;
  }
}
