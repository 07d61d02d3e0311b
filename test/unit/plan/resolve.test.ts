import { expect, test } from "@jest/globals";
import { parsePlan } from "../../../src/plan/load.js";
import { base, edited } from "./support.js";

test("everything that is not written has its default", () => {
  expect(parsePlan(base, "p.yaml")).toEqual({
    path: "p.yaml",
    text: base,
    nodes: {
      a: {
        name: "a",
        reach: { kind: "host", host: "192.0.2.11", user: null, port: 22 },
        address: "192.0.2.11",
        sudo: false,
        engine: "podman",
        transferPorts: null,
      },
      b: {
        name: "b",
        reach: { kind: "ssh", alias: "node-b" },
        address: null,
        sudo: false,
        engine: "podman",
        transferPorts: { first: 7900, last: 7919 },
      },
    },
    services: {
      counter: {
        name: "counter",
        image: "localhost/counter:1",
        command: ["python3", "/srv/counter.py"],
        env: {},
        user: null,
        workdir: null,
        run: {
          publish: [{ ip: null, hostPort: 8080, containerPort: 80, protocol: "tcp" }],
          volumes: [],
          network: null,
          ip: null,
          memory: null,
          args: [],
        },
        cpuBaseline: null,
        virtualTime: true,
        preserve: [],
        shared: [],
        leave: [],
        checkpoint: null,
        health: null,
      },
      other: {
        name: "other",
        image: "localhost/other:1",
        command: ["other"],
        env: {},
        user: null,
        workdir: null,
        run: { publish: [], volumes: [], network: null, ip: null, memory: null, args: [] },
        cpuBaseline: null,
        virtualTime: true,
        preserve: [],
        shared: [],
        leave: [],
        checkpoint: null,
        health: null,
      },
    },
    migrations: [
      {
        service: "counter",
        from: "a",
        to: "b",
        strategy: "stop-and-copy",
        precopy: null,
        bandwidth: { rounds: null, final: null },
        downtime: null,
        deadline: 300_000,
        lease: 10_000,
        transfer: "auto",
        tcp: "close",
      },
    ],
    options: { parallel: 4, perNode: 2, onFailure: "stop", keepSource: 3_600_000 },
  });
});

test.each([
  ["strategy: pre-copy", { rounds: "auto", onDivergence: "switch", onUnsupported: "abort" }],
  [
    "strategy: pre-copy, rounds: 3, downtime: 1s, onDivergence: throttle, onUnsupported: stop-and-copy",
    { rounds: 3, onDivergence: "throttle", onUnsupported: "stop-and-copy" },
  ],
])("%s", (written, precopy) => {
  const [migration] = parsePlan(edited("to: b }", `to: b, ${written} }`), "p.yaml").migrations;
  expect(migration?.precopy).toEqual(precopy);
});

test.each([
  ["strategy: pre-copy, bandwidth: 100MB/s", { rounds: 100e6, final: null }],
  ["strategy: pre-copy, bandwidth: { rounds: 80Mbit/s }", { rounds: 10e6, final: null }],
  ["bandwidth: { final: 1MiB/s }", { rounds: null, final: 1_048_576 }],
])("%s", (written, bandwidth) => {
  const [migration] = parsePlan(edited("to: b }", `to: b, ${written} }`), "p.yaml").migrations;
  expect(migration?.bandwidth).toEqual(bandwidth);
});

test("a plan without migrations is a plan", () => {
  const text = base.slice(0, base.indexOf("migrations:"));
  expect(parsePlan(text, "p.yaml").migrations).toEqual([]);
});

test.each([
  ["host: 192.0.2.11", "host: 192.0.2.11, address: 10.0.0.1", "10.0.0.1"],
  ["host: 192.0.2.11", "ssh: a, address: 10.0.0.1", "10.0.0.1"],
  ["host: 192.0.2.11", 'host: "2001:db8::1"', "2001:db8::1"],
])("the address of { %s → %s } is %s", (from, to, address) => {
  expect(parsePlan(edited(from, to), "p.yaml").nodes.a?.address).toBe(address);
});

test.each([
  ["7900-7919", { first: 7900, last: 7919 }],
  ['"7900"', { first: 7900, last: 7900 }],
  ["7900", { first: 7900, last: 7900 }],
])("transferPorts: %s", (written, range) => {
  expect(parsePlan(edited("7900-7919", written), "p.yaml").nodes.b?.transferPorts).toEqual(range);
});

test.each([
  ['http: "http://{node}:8080/healthz"', { kind: "http", url: "http://{node}:8080/healthz" }],
  ['tcp: "{node}:6379"', { kind: "tcp", host: "{node}", port: 6379 }],
  ['tcp: "[::1]:6379"', { kind: "tcp", host: "::1", port: 6379 }],
  ['exec: [check, "{node}", ""]', { kind: "exec", command: ["check", "{node}", ""] }],
])("health: { %s }", (written, probe) => {
  const text = edited("command: [other]", `command: [other]\n    health: { ${written} }`);
  expect(parsePlan(text, "p.yaml").services.other?.health).toEqual({
    ...probe,
    timeout: 10_000,
    interval: 250,
  });
});

test("paths are normalised, and paths of volumes too", () => {
  const keys = `preserve: [/var//lib/./x/]\n    workdir: /srv/\n    run: { volumes: ["/a/:/b//c:ro"], memory: 512MiB }`;
  const other = parsePlan(edited("command: [other]", `command: [other]\n    ${keys}`), "p.yaml").services
    .other;
  expect(other?.preserve).toEqual(["/var/lib/x"]);
  expect(other?.workdir).toBe("/srv");
  expect(other?.run.volumes).toEqual([{ host: "/a", container: "/b/c", readOnly: true }]);
  expect(other?.run.memory).toBe(536_870_912);
});

test("an alias says again what its anchor says", () => {
  const text = edited("b: { ssh: node-b,", "b: { ssh: &name node-b, address: *name,");
  expect(parsePlan(text, "p.yaml").nodes.b?.address).toBe("node-b");
});

test("`yes` is text in YAML 1.2, whatever version a directive asks for", () => {
  const text = edited("command: [other]", "command: [other]\n    env: { A: yes, B: 2001-01-01 }");
  expect(parsePlan(text, "p.yaml").services.other?.env).toEqual({ A: "yes", B: "2001-01-01" });
  expect(parsePlan(`%YAML 1.1\n---\n${text}`, "p.yaml").services.other?.env).toEqual({
    A: "yes",
    B: "2001-01-01",
  });
});
