/** `lost`: no answer, try again. `refused`: the peer answered no. */
export type TransferFault =
  { kind: "lost"; reason: string } | { kind: "refused"; status: number; code: string; message: string };

export class TransferError extends Error {
  readonly fault: TransferFault;

  constructor(what: string, fault: TransferFault, cause?: unknown) {
    super(`${what}: ${describe(fault)}`, { cause });
    this.name = "TransferError";
    this.fault = fault;
  }
}

function describe(fault: TransferFault): string {
  return fault.kind === "lost" ? fault.reason : `HTTP ${fault.status} ${fault.code}: ${fault.message}`;
}
