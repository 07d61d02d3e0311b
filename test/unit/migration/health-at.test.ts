import { expect, test } from "@jest/globals";
import { healthAt } from "../../../src/migration/health-at.js";
import type { HealthProbe } from "../../../src/plan/plan.js";

const times = { timeout: 1000, interval: 100 };

test.each<[HealthProbe, string, HealthProbe]>([
  [
    { kind: "http", url: "http://{node}:80/{node}" },
    "10.0.0.1",
    { kind: "http", url: "http://10.0.0.1:80/10.0.0.1" },
  ],
  [{ kind: "http", url: "http://{node}:80/" }, "fd00::1", { kind: "http", url: "http://[fd00::1]:80/" }],
  [{ kind: "http", url: "http://other/" }, "10.0.0.1", { kind: "http", url: "http://other/" }],
  [{ kind: "tcp", host: "{node}", port: 6379 }, "fd00::1", { kind: "tcp", host: "fd00::1", port: 6379 }],
  [
    { kind: "exec", command: ["ping", "{node}", "x={node}"] },
    "b",
    { kind: "exec", command: ["ping", "b", "x=b"] },
  ],
])("%j at %s", (probe, address, expected) => {
  expect(healthAt({ ...times, ...probe }, address)).toEqual({ ...times, ...expected });
});
