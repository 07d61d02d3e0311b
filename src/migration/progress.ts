import type { RoundLine } from "./precopy/round-line.js";

/** What a migration tells whoever draws it. Progress is shown, never decided on. */
export type ProgressEvent = { migration: string } & (
  | { kind: "planned"; title: string; steps: readonly StepTitle[] }
  | { kind: "started"; step: string }
  /** Bytes so far, bytes known in all (null: unknown), bytes per second. */
  | { kind: "moved"; step: string; bytes: number; total: number | null; rate: number }
  | { kind: "said"; step: string; text: string }
  | { kind: "round"; step: string; round: RoundLine }
  /** How it stands this moment; overtaken by the next one. */
  | { kind: "stands"; step: string; text: string }
  | { kind: "ended"; step: string; ms: number }
  | { kind: "failed"; step: string; message: string }
  | { kind: "undone"; step: string; found: string }
  | { kind: "closed"; ok: boolean; text: string }
);

export interface StepTitle {
  name: string;
  title: string;
}

export type Progress = (event: ProgressEvent) => void;

type Reported = Extract<ProgressEvent, { step: string }>;
/** An event of one step, before it is known which migration and step it belongs to. */
export type StepEvent = Reported extends infer E
  ? E extends Reported
    ? Omit<E, "migration" | "step">
    : never
  : never;

const windowMs = 2000;

/** Turns a growing count of bytes into `moved` events with the rate of the last two seconds. */
export class Meter {
  readonly #seen: { at: number; bytes: number }[] = [];

  constructor(
    private readonly tell: (bytes: number, total: number | null, rate: number) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  update(bytes: number, total: number | null): void {
    const at = this.now();
    this.#seen.push({ at, bytes });
    while (this.#seen.length > 2 && at - (this.#seen[0]?.at ?? at) > windowMs) this.#seen.shift();
    this.tell(bytes, total, this.#rate());
  }

  #rate(): number {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
