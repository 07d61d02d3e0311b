/** What a command ends with other than well; FastFreeze's exit codes. */

import type { ImageWork } from "../daemon/api.js";

export const exitCodes = {
  usage: 1,
  /** Before the application was ready, or of any other command. */
  failure: 170,
  /** In a restore, or while its manifest was looked at: `--no-restore` would have avoided it. */
  restore: 171,
} as const;

export class Failure extends Error {
  constructor(
    message: string,
    readonly exit: number = exitCodes.failure,
    /** More lines: CRIU's, a hint. */
    readonly details: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Why a checkpoint or a restore failed, as the daemon has it. */
export function failureOf({ failure, verb }: ImageWork, exit?: number): Failure {
  const { message, log, hint } = failure ?? { message: `the ${verb} failed`, log: [], hint: null };
  return new Failure(message, exit, [...log, ...(hint === null ? [] : [hint])]);
}
