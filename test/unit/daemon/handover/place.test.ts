import { describe, expect, test } from "@jest/globals";
import { makeWay } from "../../../../src/daemon/handover/place.js";
import { type HandOverDeps } from "../../../../src/daemon/handover/half.js";

/** What a daemon with this test's PID does where the image's PIDs go up to `highestPid`. */
async function wayFor(highestPid: number): Promise<{ cursor: number[]; gaveUp: number; refusal: unknown }> {
  const cursor: number[] = [];
  let gaveUp = 0;
  const init = { moveCursor: async (atLeast: number) => cursor.push(atLeast) };
  const processes = { init } as unknown as HandOverDeps["processes"];
  const refusal = await makeWay({ processes, giveUp: () => (gaveUp += 1) }, highestPid).catch(
    (thrown: unknown) => thrown,
  );
  return { cursor, gaveUp, refusal };
}

describe("a daemon makes way for the image", () => {
  test("one among its PIDs starts anew with a higher one, and says that it may be asked again", async () => {
    expect(await wayFor(process.pid)).toMatchObject({
      cursor: [process.pid],
      gaveUp: 1,
      refusal: { status: 503, code: "STARTING_ANEW" },
    });
  });

  test("one above them stays", async () => {
    expect(await wayFor(process.pid - 1)).toEqual({ cursor: [], gaveUp: 0, refusal: undefined });
  });
});
