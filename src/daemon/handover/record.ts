import type {
  DestinationStateName,
  Failure,
  MigrationView,
  OpenMigration,
  ReleaseProof,
  Round,
  SourceStateName,
  TransferProgress,
  Tuning,
} from "../api.js";
import type { Verdict } from "../verdict.js";
import { figuresOf } from "./chain.js";

/** What a half of the hand-over learns on its way, for whoever asks. */
export class MigrationRecord {
  readonly open: OpenMigration;
  failure: Failure | null = null;
  transfer: TransferProgress = { bytes: 0, total: 0, files: 0 };
  stats: Record<string, number> | null = null;
  proof: ReleaseProof | null = null;
  verdict: Verdict | null = null;
  rounds: readonly Round[] = [];
  tuning: Tuning = { bandwidth: null, downtime: null };
  readonly timeline: Record<string, number> = {};
  readonly verified: string[] = [];
  #zero: number | undefined;
  #startedAt: string | null = null;

  constructor(open: OpenMigration) {
    this.open = open;
  }

  /** Milliseconds since the first mark. */
  now(): number {
    this.#zero ??= performance.now();
    this.#startedAt ??= new Date().toISOString();
    return performance.now() - this.#zero;
  }

  mark(name: string, at = this.now()): void {
    this.timeline[name] = Math.round(at * 10) / 10;
  }

  /** CRIU has ended, so many milliseconds ago. It counts from the freeze to its end, the time in our hook included. */
  noteDump(stats: MigrationRecord["stats"], ago: number): void {
    this.stats = stats;
    const figures = figuresOf(stats);
    if (figures !== null) this.mark("frozen", this.now() - ago - figures.frozenMs);
  }

  /** The first failure is the cause; later ones follow from it. */
  fail(failure: Failure): void {
    this.failure ??= failure;
  }

  verify(what: string): void {
    if (!this.verified.includes(what)) this.verified.push(what);
  }

  view(state: SourceStateName | DestinationStateName): MigrationView {
    const { id, epoch, role } = this.open;
    const { verdict, failure, transfer, timeline, stats, proof, verified, rounds, tuning } = this;
    return {
      id,
      epoch,
      role,
      state,
      verdict,
      failure,
      transfer,
      timeline,
      startedAt: this.#startedAt,
      stats,
      proof,
      verified,
      rounds: [...rounds],
      tuning,
    };
  }
}
