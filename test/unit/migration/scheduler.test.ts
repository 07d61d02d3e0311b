import { describe, expect, test } from "@jest/globals";
import { runJobs, startable, type Job } from "../../../src/migration/scheduler.js";

const job = (name: string, ...nodes: string[]): Job => ({ name, nodes });
const [ab1, ab2, cd, ac] = [
  job("ab1", "a", "b"),
  job("ab2", "a", "b"),
  job("cd", "c", "d"),
  job("ac", "a", "c"),
] as const;

describe("startable", () => {
  test.each([
    {
      title: "as many as parallel allows",
      waiting: [ab1, cd, ac],
      running: [],
      limits: { parallel: 2, perNode: 9 },
      starts: ["ab1", "cd"],
    },
    {
      title: "a busy node holds up only who needs it",
      waiting: [ab2, cd],
      running: [ab1],
      limits: { parallel: 9, perNode: 1 },
      starts: ["cd"],
    },
    {
      title: "two per node",
      waiting: [ab1, ab2, ac],
      running: [],
      limits: { parallel: 9, perNode: 2 },
      starts: ["ab1", "ab2"],
    },
    {
      title: "none while all places are taken",
      waiting: [cd],
      running: [ab1],
      limits: { parallel: 1, perNode: 9 },
      starts: [],
    },
  ])("$title", ({ waiting, running, limits, starts }) => {
    expect(startable(waiting, running, limits).map(({ name }) => name)).toEqual(starts);
  });
});

describe("runJobs", () => {
  async function run(onFailure: "stop" | "continue"): Promise<[string, boolean][]> {
    const results = await runJobs(
      [ab1, ab2, cd],
      { parallel: 1, perNode: 1, onFailure },
      ({ name }) => Promise.resolve(name !== "ab1"),
      (ok) => !ok,
    );
    return results.map((result) => [result.job.name, result.ran]);
  }

  test("stop starts nothing after a failure", async () => {
    expect(await run("stop")).toEqual([
      ["ab1", true],
      ["ab2", false],
      ["cd", false],
    ]);
  });

  test("continue runs them all", async () => {
    expect(await run("continue")).toEqual([
      ["ab1", true],
      ["ab2", true],
      ["cd", true],
    ]);
  });

  test("never more at once than allowed", async () => {
    let [now, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    };
    await runJobs([ab1, ab2, cd, ac], { parallel: 2, perNode: 2, onFailure: "stop" }, work, () => false);
    expect([now, most]).toEqual([0, 2]);
  });
});
