/** `lost`: no answer, try again. `refused`: the peer answered no. */
export type TransferFault = { kind: "lost"; reason: string } | { kind: "refused"; status: number; code: string; message: string };

export class TransferError extends Error {
  readonly fault: TransferFault;

  constructor(what: string, fault: TransferFault, cause?: unknown) {
    super(`${what}: ${describe(fault)}`, { cause });
    this.name = "TransferError";
    this.fault = fault;
  }
}

/** The receiver's no, for the HTTP layer to answer with. */
export class Refusal extends Error {
  readonly status: 400 | 409 | 413;
  readonly code: string;
  readonly problems: readonly string[];

  constructor(status: 400 | 409 | 413, code: string, message: string, problems: readonly string[] = []) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

function describe(fault: TransferFault): string {
  return fault.kind === "lost" ? fault.reason : `HTTP ${fault.status} ${fault.code}: ${fault.message}`;
}
