import { describe, expect, test } from "@jest/globals";
import type { Facts, SourceFacts } from "../../../../src/migration/facts.js";
import { check } from "../../../../src/migration/preflight/checks.js";
import { preflightError } from "../../../../src/migration/preflight/problems.js";
import { container, facts, open, service, status } from "../../../support/migration/facts.js";

const running = { ...status, service: { ...status.service } };
const found = (given: Facts): [string, string][] =>
  check(given, { allowClockJump: false, id: null }).map((problem) => [problem.check, problem.message]);
const daemon = (change: Partial<typeof status>): Facts =>
  facts({ source: { status: { ...running, ...change } } });
const box = (change: Partial<typeof container>): Facts =>
  facts({ source: { container: { ...container, ...change } } });
const process = status.tree[0];
if (process === undefined) throw new Error("the support's tree is empty");

/** A source whose service has no clocks of its own. */
const byHostsClocks: Partial<SourceFacts> = { status: { ...status, tree: [{ ...process, clocks: "host" }] } };

const old = { model: "Processor 3", features: ["sse4_2"] };

/** A source whose service was started with a baseline. */
function started(instructions: string[]): Partial<SourceFacts> {
  const { ownership } = status;
  return { status: { ...status, ownership: { ...ownership, service: { ...open.service, instructions } } } };
}

test("a healthy pair has no problem", () => {
  expect(found(facts())).toEqual([]);
});

describe("each cause has its own message", () => {
  test.each<[string, Facts, string, string]>([
    [
      "same host",
      facts({ destination: { identities: ["x", "SHA256:a"] } }),
      "same-host",
      "a and b are the same machine (both show SHA256:a)",
    ],
    [
      "rootless",
      facts({ destination: { rootless: "ops", engine: { missing: "no subordinate ids" } } }),
      "rootless",
      "commands on b run as ops, and a user's own Podman (rootless) is not supported",
    ],
    [
      "no engine",
      facts({ destination: { engine: { missing: "command not found" } } }),
      "engine",
      "podman does not work on b: command not found",
    ],
    [
      "old engine",
      facts({ source: { engine: { version: "3.0.1" } } }),
      "engine",
      "podman 3.0.1 on a is older than 4.3",
    ],
    [
      "no container",
      facts({ source: { container: null, status: null } }),
      "service",
      "there is no container counter on a",
    ],
    [
      "not under the daemon",
      facts({ source: { container: { ...container, entrypoint: ["redis-server"] }, status: null } }),
      "service",
      "the container counter on a does not run under the fastmig daemon",
    ],
    [
      "stopped",
      facts({ source: { container: { ...container, running: false }, status: null } }),
      "service",
      "the container counter on a is stopped: there is no memory to move",
    ],
    [
      "no answer",
      facts({ source: { status: null, daemonError: "refused" } }),
      "service",
      "the daemon in the container counter on a does not answer: refused",
    ],
    [
      "standby",
      daemon({ service: { state: "standby" } }),
      "service",
      "counter does not run on a: its daemon waits in standby",
    ],
    [
      "ended",
      daemon({ service: { state: "ended", ended: { code: 3, signal: null, at: "then" } } }),
      "service",
      "counter has ended on a (code 3, then)",
    ],
    [
      "gone elsewhere",
      daemon({ ownership: { epoch: 5, role: "released", service: null } }),
      "service",
      "counter is not a's any more: it went elsewhere at epoch 5",
    ],
    [
      "mixed users",
      daemon({ tree: [process, { ...process, pid: 1001, uid: 1000 }] }),
      "service",
      "the processes of counter run as several users (0: python3 (1000); 1000: python3 (1001)): an unprivileged CRIU can dump one user's processes only",
    ],
    [
      "open at the source",
      daemon({ open }),
      "ownership",
      `another migration of the service is open on a: migration ${open.id}, opened by ops@desk pid 7 at 2026-01-01T00:00:00.000Z from plan.yaml`,
    ],
    [
      "open at the destination",
      facts({ destination: { open } }),
      "ownership",
      `another migration of the service is open on b: migration ${open.id}, opened by ops@desk pid 7 at 2026-01-01T00:00:00.000Z from plan.yaml`,
    ],
    [
      "state in memory",
      facts({ destination: { state: { free: 1e12, volatile: true } } }),
      "ownership",
      "/var/lib/fastmig on b lies in memory: a reboot would forget who owns the service",
    ],
    [
      "a newer owner",
      facts({ destination: { ownership: { epoch: 4, role: "owner", service: null } } }),
      "ownership",
      "b owns counter at epoch 4, a at 2: the copy on b is the newer one",
    ],
    [
      "other command",
      facts({ service: { command: ["sh"] } }),
      "plan",
      'counter runs otherwise than the plan says: command: it runs with ["python3","/srv/counter.py"], the plan says ["sh"]',
    ],
    [
      "other env",
      facts({ service: { env: {} } }),
      "plan",
      'counter runs otherwise than the plan says: env: it runs with {"MODE":"fast"}, the plan says {}',
    ],
    [
      "other user",
      facts({ service: { user: "redis" } }),
      "plan",
      "counter runs otherwise than the plan says: user: it runs with root, the plan says redis",
    ],
    [
      "other image",
      facts({ service: { image: "localhost/other:1" }, source: { imageId: "sha256:9" } }),
      "plan",
      "counter runs otherwise than the plan says: image: it runs with localhost/counter:1, the plan says localhost/other:1",
    ],
    [
      "other ports",
      facts({
        service: { run: { ...service.run, publish: [] } },
        source: {
          container: {
            ...container,
            publish: [{ ip: "127.0.0.1", port: 80, containerPort: 8080, protocol: "tcp", by: "counter" }],
          },
        },
      }),
      "plan",
      'counter runs otherwise than the plan says: run.publish: it runs with ["127.0.0.1:80:8080"], the plan says []',
    ],
    [
      "other volumes",
      facts({
        service: {
          leave: ["/data"],
          run: { ...service.run, volumes: [{ host: "/srv", container: "/data", readOnly: true }] },
        },
      }),
      "plan",
      'counter runs otherwise than the plan says: run.volumes: it runs with [], the plan says ["/srv:/data:ro"]',
    ],
    ["no CRIU", daemon({ criu: { version: "", features: [] } }), "criu", "the container on a has no CRIU"],
    [
      "old CRIU",
      daemon({ criu: { version: "3.17.1", features: [] } }),
      "criu",
      "CRIU 3.17.1 in the container on a is older than 4.2",
    ],
    [
      "a foreign container of that name",
      facts({ destination: { container: { ...container, labels: {}, imageName: "nginx" } } }),
      "names",
      "the name counter is taken on b by a container that is not fastmig's (c0ffee000000, nginx)",
    ],
    [
      "an older container of ours",
      facts({ destination: { container: { ...container, running: false } } }),
      "names",
      "an older container counter is on b (stopped)",
    ],
    [
      "a standby of another plan",
      facts({
        destination: {
          container: { ...container, labels: { ...container.labels, "io.fastmig.spec": "s2" } },
          status: { ...status, service: { state: "standby" } },
        },
      }),
      "names",
      "the standby of counter on b was made from another plan than the running container",
    ],
    [
      "a port taken",
      facts({
        destination: {
          taken: [{ ip: "192.0.2.1", port: 8080, containerPort: null, protocol: "tcp", by: "nginx" }],
        },
      }),
      "names",
      "port 8080/tcp is taken on b by nginx",
    ],
    [
      "a written file",
      facts({ source: { changes: [{ path: "/data/x", kind: "added", directory: false }] } }),
      "files",
      "/data/x was written since the container was created, and the plan does not say what becomes of it",
    ],
    [
      "a volume",
      box({
        mounts: [...container.mounts, { host: "/v/_data", container: "/data", readOnly: false, volume: "v" }],
      }),
      "files",
      "/data is the volume v of the node, and the plan does not say what becomes of it",
    ],
    [
      "no memory at the destination",
      facts({ destination: { memoryAvailable: 100e6 } }),
      "memory",
      "b has 100MB of memory available, the service needs 364MB",
    ],
    [
      "no room in run.memory",
      facts({
        service: { run: { ...service.run, memory: 320e6 } },
        source: { container: { ...container, memoryLimit: 320e6 } },
      }),
      "memory",
      "the service uses 300MB, the plan's run.memory (320MB) leaves no room for its restore (364MB)",
    ],
    [
      "no room for images at the source",
      facts({ source: { memoryAvailable: 10e6, state: { free: 20e6, volatile: false } } }),
      "memory",
      "the checkpoint image needs 364MB on a, which has 10MB of memory and 20MB of disk for it",
    ],
    [
      "no room for images at the destination",
      facts({ destination: { memoryAvailable: 500e6, state: { free: 20e6, volatile: false } } }),
      "memory",
      "b has room for the checkpoint image (364MB) neither in memory (500MB available, the tree needs its part) nor on disk (20MB)",
    ],
    [
      "no room for the container image",
      facts({ destination: { imageId: null, storageFree: 1e6 } }),
      "memory",
      "the container image (200MB) does not fit on b, whose container storage has 1MB left",
    ],
    [
      "a lesser processor",
      facts({ destination: { processor: { model: "Processor 5", features: ["sse4_2", "avx"] } } }),
      "cpu",
      "b's processor (Processor 5) lacks what a's (Processor 7) has, and counter may be using: avx2",
    ],
    [
      "a processor below the baseline",
      facts({ source: started(["sse4_2", "avx"]), destination: { processor: old } }),
      "cpu",
      "b's processor (Processor 3) lacks what counter was started to use: avx",
    ],
    [
      "a lower uptime",
      facts({ source: byHostsClocks, destination: { uptime: 40_000 } }),
      "clock",
      "b has been up 60 s less than a: the monotonic clock of process 1000 (python3) would jump back, and its timers would wait that much longer",
    ],
  ])("%s", (_title, given, name, message) => {
    expect(found(given)).toEqual([[name, message]]);
  });
});

describe("what is no problem", () => {
  test.each<[string, Facts]>([
    [
      "the port of direct transfers",
      box({
        publish: [
          ...container.publish,
          { ip: null, port: 7900, containerPort: 7900, protocol: "tcp", by: "counter" },
        ],
      }),
    ],
    [
      "the same image under a short name",
      facts({ service: { image: "counter:1" }, source: { imageId: null } }),
    ],
    [
      "a processor without a hint, or what only kernels use",
      facts({ destination: { processor: { model: "Processor 6", features: ["sse4_2", "avx", "avx2"] } } }),
    ],
    [
      "a lesser processor that has the baseline",
      facts({ source: started(["sse4_2"]), destination: { processor: old } }),
    ],
    ["a newer processor", facts({ source: { processor: { model: "Processor 1", features: ["sse4_2"] } } })],
    [
      "a waiting standby of the same run",
      facts({ destination: { container, status: { ...status, service: { state: "standby" } } } }),
    ],
    [
      "a volume that is named",
      facts({
        service: { shared: ["/data"] },
        source: {
          container: {
            ...container,
            mounts: [{ host: "/v", container: "/data/x", readOnly: false, volume: "v" }],
          },
        },
      }),
    ],
    [
      "an older tombstone at the destination",
      facts({ destination: { ownership: { epoch: 2, role: "released", service: null } } }),
    ],
    [
      "images on disk where memory is short",
      facts({ source: { memoryAvailable: 10e6 }, destination: { memoryAvailable: 500e6 } }),
    ],
  ])("%s", (_title, given) => {
    expect(found(given)).toEqual([]);
  });

  test("its own lock, and a clock jump that is allowed", () => {
    const given = facts({ destination: { open, uptime: 1 } });
    expect(check(given, { allowClockJump: true, id: open.id })).toEqual([]);
  });
});

test("every problem is said at once, each with what to do", () => {
  const error = preflightError(
    "counter",
    check(
      facts({
        source: { ...byHostsClocks, changes: [{ path: "/x", kind: "added", directory: false }] },
        destination: { uptime: 1 },
      }),
      { allowClockJump: false, id: null },
    ),
  );
  expect(error.exit).toBe(3);
  expect(error.message).toBe("preflight of counter found 2 problems");
  expect(error.details.filter((line) => line.startsWith("  → "))).toHaveLength(2);
});
