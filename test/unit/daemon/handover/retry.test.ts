import { describe, expect, test } from "@jest/globals";
import { retryLost } from "../../../../src/daemon/handover/retry.js";
import { TransferError } from "../../../../src/daemon/transfer/errors.js";

const lost = new TransferError("ask", { kind: "lost", reason: "reset" });
const refused = (status: number): TransferError =>
  new TransferError("ask", { kind: "refused", status, code: "X", message: "no" });

/** Throws one after the other, then answers how often it was asked. */
function failing(...errors: Error[]): () => Promise<number> {
  let asked = 0;
  return async () => {
    asked += 1;
    const error = errors[asked - 1];
    if (error !== undefined) throw error;
    return asked;
  };
}

const never = new AbortController().signal;

describe("asking until it is answered", () => {
  test.each([
    ["a lost answer", lost],
    ["a trouble of the peer's own", refused(500)],
  ])("%s is asked again", async (_what, error) => {
    expect(await retryLost(failing(error, error), never, 1000)).toBe(3);
  });

  test("a refusal is an answer", async () => {
    await expect(retryLost(failing(refused(409)), never, 1000)).rejects.toThrow("HTTP 409");
  });

  test("silence counts as lost after its limit", async () => {
    let asked = 0;
    const silentOnce = (signal: AbortSignal): Promise<string> =>
      (asked += 1) > 1
        ? Promise.resolve("answer")
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    expect(await retryLost(silentOnce, never, 20)).toBe("answer");
  });

  test("ends when it is told that it is enough, with that reason", async () => {
    const enough = new AbortController();
    const asking = retryLost(failing(lost, lost, lost, lost, lost, lost), enough.signal, 1000);
    enough.abort(new Error("the lease is over"));
    await expect(asking).rejects.toThrow("the lease is over");
  });
});
