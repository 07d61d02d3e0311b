import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { rebootNode } from "../../src/lab/index.js";
import { onStage } from "../support/on-stage.js";
import { type Cast, keeperService } from "../support/services.js";
import type { NodeName } from "../support/stage.js";
import { accountOf, faultsIn, jumpsIn } from "../support/workloads/clocks.js";

const stage = onStage();
const hours = 3_600_000;
/** By how much node a has been up longer than node b. */
const apart = 960;

beforeAll(() => rebootNode(stage().lab, "a", { uptime: apart * hours }), 120_000);
afterAll(() => rebootNode(stage().lab, "a", { uptime: 0 }), 120_000);

/** Resolves with how long it stood still at most, in ms, this time and `before`. */
async function move(
  cast: Cast,
  [from, to]: [NodeName, NodeName],
  ways: number,
  frozenMs = 0,
): Promise<number> {
  const before = await accountOf(stage(), cast, from, { more: 3, ways });
  const asked = performance.now();
  const [report] = await stage().migrate(await stage().plan([cast], { from, to }));
  const after = await accountOf(stage(), cast, to, { more: 4, before, ways });
  expect(jumpsIn(before, after, (performance.now() - asked) / 1000)).toEqual([]);
  const longestMs = Math.max(frozenMs, report?.blackout?.ms ?? 0);
  expect(faultsIn(after, longestMs)).toEqual([]);
  return longestMs;
}

describe("the service's clocks go on, from a host that is up for 40 days to one that is not, and back", () => {
  test.each([
    ["c", ["/srv/keeper"], 13],
    ["python", ["python3", "/srv/keeper.py"], 6],
    ["go", ["/srv/go-keeper"], 4],
  ] as [string, string[], number][])(
    "%s",
    async (language, command, ways) => {
      const cast = keeperService(language, command);
      await stage().result("start", await stage().plan([cast]));
      const frozenMs = await move(cast, ["a", "b"], ways);
      await move(cast, ["b", "a"], ways, frozenMs);
    },
    120_000,
  );
});

test("without clocks of its own it is refused where the other host is up for less, and would wait for the difference", async () => {
  const cast = keeperService("c", ["/srv/keeper"], { virtualTime: false });
  const plan = await stage().plan([cast]);
  await stage().result("start", plan);
  const before = await accountOf(stage(), cast, "a", { more: 1, ways: 13 });
  expect(before.monotonic).toBeGreaterThan(apart * 3600);
  const { exit, stderr } = await stage().fastmig("migrate", plan);
  expect(exit).toBe(exitCodes.preflight);
  expect(stderr).toMatch(
    /clock: b has been up 3456\d{3} s less than a: the monotonic clock of process 1000 \(keeper\) would jump back/,
  );
  await stage().migrate(plan, "--allow-clock-jump");
  const there = await accountOf(stage(), cast, "b", { more: 0, ways: 13 });
  expect(there.back).toBeGreaterThan(0);
  const going = accountOf(stage(), cast, "b", { more: 1, before: there, ways: 13, timeout: 3000 });
  await expect(going).rejects.toThrow("c-keeper's waits on b");
}, 120_000);
