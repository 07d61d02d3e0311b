import { describe, expect, test } from "@jest/globals";
import { makeWay } from "../../../../src/daemon/handover/place.js";
import { firstPid } from "../../../../src/daemon/service.js";
import { type HandOverDeps } from "../../../../src/daemon/handover/half.js";

const ownPid = firstPid + 20;

/** What a daemon with the PID `own` does where the image's PIDs go up to `highestPid`. */
async function wayFor(
  highestPid: number,
  own = ownPid,
): Promise<{ cursor: number[]; gaveUp: number; refusal: unknown }> {
  const cursor: number[] = [];
  let gaveUp = 0;
  const init = { moveCursor: async (atLeast: number) => cursor.push(atLeast) };
  const processes = { init } as unknown as HandOverDeps["processes"];
  const refusal = await makeWay({ processes, giveUp: () => (gaveUp += 1) }, highestPid, own).catch(
    (thrown: unknown) => thrown,
  );
  return { cursor, gaveUp, refusal };
}

describe("a daemon makes way for the image", () => {
  test("one among its PIDs starts anew with a higher one, and says that it may be asked again", async () => {
    expect(await wayFor(ownPid)).toMatchObject({
      cursor: [ownPid],
      gaveUp: 1,
      refusal: { status: 503, code: "STARTING_ANEW" },
    });
  });

  test("one above them stays", async () => {
    expect(await wayFor(ownPid - 1)).toEqual({ cursor: [], gaveUp: 0, refusal: undefined });
  });

  test("one below every image's PIDs stays", async () => {
    const below = await wayFor(ownPid, firstPid - 1);
    expect(below).toEqual({ cursor: [], gaveUp: 0, refusal: undefined });
  });
});
