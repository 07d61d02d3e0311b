import * as z from "zod";
import { waitFor } from "../../../src/wait.js";
import type { Cast } from "../services.js";
import type { NodeName, Stage } from "../stage.js";

/** Of one way to wait: how often it came to its end, how late at the worst, in ms, and how often too early. */
const Kept = z.tuple([z.number(), z.number(), z.number()]);

/** What a keeper says (clocks/keeper.c). Clocks are in seconds. */
export const KeeperAccount = z.object({
  monotonic: z.number(),
  boottime: z.number(),
  /** How often a clock showed less than before. */
  back: z.number(),
  /** Of its memory, by those that have some. */
  memory: z.optional(z.number()),
  kept: z.record(z.string(), Kept),
});
export type KeeperAccount = z.infer<typeof KeeperAccount>;

async function lastLine(stage: Stage, { name }: Cast, node: NodeName): Promise<KeeperAccount | undefined> {
  const lines = (await stage.on(node, "podman", "logs", "--tail", "1", name)).trim();
  return lines.startsWith("{") ? KeeperAccount.parse(JSON.parse(lines)) : undefined;
}

/** What it says once every way has come to its end `more` times since `before`; else throws, and names those that have not. */
export function accountOf(
  stage: Stage,
  cast: Cast,
  node: NodeName,
  {
    more,
    before,
    ways,
    timeout = 15_000,
  }: { more: number; before?: KeeperAccount; ways: number; timeout?: number },
): Promise<KeeperAccount> {
  const look = async (): Promise<KeeperAccount | undefined> => {
    const account = await lastLine(stage, cast, node);
    if (account === undefined || Object.keys(account.kept).length < ways) return undefined;
    const waiting = Object.entries(account.kept).filter(
      ([way, [count]]) => count < (before?.kept[way]?.[0] ?? 0) + more,
    );
    return waiting.length === 0 ? account : undefined;
  };
  return waitFor(`${cast.name}'s waits on ${node}`, look, { timeout, interval: 250 });
}

/** Whatever else runs here; what waits for another host's time would wait for hours. */
const slackMs = 1500;

/** That no clock went back, and no wait ended early, or later than the longest freeze, whose dump counts, and something else can explain. */
export function faultsIn({ back, kept }: KeeperAccount, frozenMs: number): string[] {
  const latestMs = slackMs + frozenMs;
  const waits = Object.entries(kept).flatMap(([way, [, late, early]]) => [
    ...(early > 0 ? [`${way} ended early ${early} times`] : []),
    ...(late > latestMs ? [`${way} ended ${late} ms late`] : []),
  ]);
  return back > 0 ? [`a clock went back ${back} times`, ...waits] : waits;
}

/** Its clocks as they were, and at most what has passed since, in seconds; not what the new host's show. */
export function jumpsIn(before: KeeperAccount, after: KeeperAccount, elapsed: number): string[] {
  return (["monotonic", "boottime"] as const).flatMap((clock) => {
    const passed = after[clock] - before[clock];
    return passed > 0 && passed < elapsed + 1 ? [] : [`${clock}: ${passed} s in ${elapsed} s`];
  });
}
