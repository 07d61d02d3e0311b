import { expect, test } from "@jest/globals";
import { fastmig } from "../support/fastmig.js";

test(
  "the demo moves Redis, says what its client saw, and takes its lab down",
  async () => {
    const { exit, stdout, stderr } = await fastmig([
      "demo",
      "--json",
      "--down",
      "--name",
      "test-demo",
      "--keys",
      "5000",
    ]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringContaining("$ fastmig migrate") });
    const result = JSON.parse(stdout) as { client: { acknowledged: number; longestGapMs: number } };
    expect(result).toMatchObject({
      client: { lost: 0, contradictions: [] },
      same: { process: true, data: true },
      migration: { migrations: [{ outcome: "migrated", report: { service: "redis", from: "a", to: "b" } }] },
    });
    expect(result.client.acknowledged).toBeGreaterThan(2000);
    expect(result.client.longestGapMs).toBeGreaterThan(10);
    const { stdout: lab } = await fastmig(["lab", "status", "--name", "test-demo", "--json"]);
    expect(JSON.parse(lab)).toMatchObject({ state: "down" });
  },
  20 * 60_000,
);
