import { describe, expect, test } from "@jest/globals";
import { edited, problemsOf } from "./support.js";

const command = "command: [other]";
const migration = "  - { service: counter, from: a, to: b }\n";
const other = (more: string): string => edited(command, `${command}\n    ${more}`);
const moves = (...lines: string[]): string =>
  edited(migration, lines.map((line) => `  - { ${line} }\n`).join(""));

describe("names that are referred to", () => {
  test.each([
    [
      "service: countr, from: a, to: b",
      'migrations[0].service: there is no service "countr"; did you mean counter?',
    ],
    [
      "service: mail, from: a, to: b",
      'migrations[0].service: there is no service "mail"; known: counter, other',
    ],
    ["service: counter, from: x, to: b", 'migrations[0].from: there is no node "x"; known: a, b'],
    ["service: counter, from: a, to: x", 'migrations[0].to: there is no node "x"; known: a, b'],
    [
      "service: constructor, from: a, to: b",
      'migrations[0].service: there is no service "constructor"; known: counter, other',
    ],
    ["service: counter, from: a, to: a", "migrations[0].to: is the node it comes from"],
  ])("%s", (line, problem) => {
    expect(problemsOf(moves(line)).map(withoutPlace)).toEqual([problem]);
  });

  test("a node of several letters: the nearest one", () => {
    const text = edited("  a: {", "  host1: {").replace("from: a", "from: hsot1");
    expect(problemsOf(text)).toEqual([
      'p.yaml:14:31 migrations[0].from: there is no node "hsot1"; did you mean host1?',
    ]);
  });

  test("a broken node is known all the same: nothing is said twice", () => {
    expect(problemsOf(edited("host: 192.0.2.11", "host: [x]"))).toEqual([
      "p.yaml:3:14 nodes.a.host: has to be text",
    ]);
  });

  test("without any node the migrations are not blamed", () => {
    const text = edited("  a: { host: 192.0.2.11 }\n  b: { ssh: node-b, transferPorts: 7900-7919 }\n", "");
    expect(problemsOf(text)).toEqual(["p.yaml:2:1 nodes: has to be a map of keys and values"]);
  });
});

describe("migrations", () => {
  test("one plan moves a service once", () => {
    const text = moves(
      "service: counter, from: a, to: b",
      "service: other, from: a, to: b",
      "service: counter, from: b, to: a",
    );
    expect(problemsOf(text)).toEqual([
      "p.yaml:16:16 migrations[2].service: counter is moved by migrations[0] already: one plan moves a service once",
    ]);
  });

  test.each([
    ["lease: 5m", ["p.yaml:14:48 migrations[0].lease: has to be shorter than deadline"]],
    ["deadline: 10s", ["p.yaml:14:41 migrations[0].lease: has to be shorter than deadline"]],
    ["lease: 4m59s", []],
    ["transfer: direct", []],
    [
      "strategy: pre-copy, onDivergence: abort",
      [
        "p.yaml:1:1 migrations[0].onDivergence: abort needs downtime, the budget that the rounds work towards",
      ],
    ],
    ["strategy: pre-copy, onDivergence: throttle, downtime: 1s", []],
    [
      "bandwidth: 1MB/s",
      [
        "p.yaml:1:1 migrations[0].bandwidth: caps the rounds, which stop-and-copy has none of; of the final copy: { final: RATE }",
      ],
    ],
    ["bandwidth: { final: 1MB/s }", []],
  ])("%s", (key, problems) => {
    const found = problemsOf(moves(`service: counter, from: a, to: b, ${key}`));
    expect(found.map(withoutPlace)).toEqual(problems.map(withoutPlace));
  });

  test("direct needs a port at the destination", () => {
    expect(problemsOf(moves("service: counter, from: b, to: a, transfer: direct"))).toEqual([
      "p.yaml:14:51 migrations[0].transfer: direct needs transferPorts at node a, where the source connects to",
    ]);
  });
});

describe("nodes", () => {
  test.each([
    ["host: 192.0.2.11", "ssh: node-b", "p.yaml:4:13 nodes.b.ssh: is the machine of node a too: ssh node-b"],
    [
      "ssh: node-b,",
      "host: 192.0.2.11, port: 22,",
      "p.yaml:4:14 nodes.b.host: is the machine of node a too: 192.0.2.11 port 22",
    ],
  ])("%s → %s", (from, to, problem) => {
    expect(problemsOf(edited(from, to))).toEqual([problem]);
  });

  test("the same host on another port may be another machine", () => {
    expect(problemsOf(edited("ssh: node-b,", "host: 192.0.2.11, port: 2222,"))).toEqual([]);
  });
});

describe("how the container is made", () => {
  test.each([
    [
      "run: { ip: 10.0.0.9 }",
      "p.yaml:13:16 services.other.run.ip: needs network: the engine's default network gives no fixed addresses",
    ],
    [
      "cpuBaseline: auto\n    env: { OPENSSL_ia32cap: a }",
      "p.yaml:14:29 services.other.env.OPENSSL_ia32cap: is for cpuBaseline to set",
    ],
    [
      'cpuBaseline: x86-64-v2\n    env: { GLIBC_TUNABLES: "a=b:glibc.cpu.hwcaps=-AVX" }',
      "p.yaml:14:28 services.other.env.GLIBC_TUNABLES: is for cpuBaseline to set",
    ],
    [
      "checkpoint: { to: /images, every: 10m }",
      "p.yaml:13:39 services.other.checkpoint.every: needs keep: how many images stay",
    ],
    [
      "run: { network: host, ip: 10.0.0.9 }",
      "p.yaml:13:31 services.other.run.ip: has no meaning in network host",
    ],
    [
      'run: { network: none, publish: ["1:1"] }',
      "p.yaml:13:36 services.other.run.publish: has no meaning in network none",
    ],
    [
      "run: { args: [-p, x] }",
      "p.yaml:13:19 services.other.run.args[0]: -p has its own key: write it under run.publish",
    ],
    [
      "run: { args: [a, --env=A=b] }",
      "p.yaml:13:22 services.other.run.args[1]: --env has its own key: write it under env",
    ],
    [
      "run: { args: [-v/a:/b] }",
      "p.yaml:13:19 services.other.run.args[0]: -v has its own key: write it under run.volumes",
    ],
    [
      "run: { args: [--rm] }",
      "p.yaml:13:19 services.other.run.args[0]: --rm belongs to fastmig: the container must be the one it makes and finds again",
    ],
    [
      'run: { volumes: ["/a:/c", "/b:/c"] }',
      "p.yaml:13:31 services.other.run.volumes[1]: /c in the container has a volume already",
    ],
    [
      'run: { volumes: ["/a:/run"] }',
      "p.yaml:13:22 services.other.run.volumes[0]: /run/fastmig in the container is fastmig's own",
    ],
    [
      'run: { volumes: ["/a:/var/lib/fastmig/x"] }',
      "p.yaml:13:22 services.other.run.volumes[0]: /var/lib/fastmig in the container is fastmig's own",
    ],
    [
      'run: { publish: ["1:1", "127.0.0.1:1:2"] }',
      "p.yaml:13:29 services.other.run.publish[1]: 1/tcp is published by other already",
    ],
    [
      "health: { exec: [a], interval: 11s }",
      "p.yaml:13:36 services.other.health.interval: is longer than timeout",
    ],
  ])("%s", (key, problem) => {
    expect(problemsOf(other(key))).toEqual([problem]);
  });

  test.each([
    "run: { network: lan, ip: 10.0.0.9 }",
    "run: { network: host }",
    "run: { args: [--label, a=b, --hostname=x, --privileged] }",
    'run: { publish: ["1:1", "1:1/udp", "2:1"] }',
    'run: { publish: ["127.0.0.1:1:1", "127.0.0.2:1:1"] }',
    'run: { volumes: ["/a:/c", "/a:/d", "/a:/runner"] }',
    "health: { exec: [a], interval: 10s }",
  ])("sound: %s", (key) => {
    expect(problemsOf(other(key))).toEqual([]);
  });
});

describe("paths that travel, are shared or may differ", () => {
  test.each([
    ["preserve: [/a, /a]", "preserve[1]: is written twice: /a under preserve too"],
    ["preserve: [/a, /a/b]", "preserve[1]: lies in /a under preserve: one of them has to go"],
    ["preserve: [/a/b, /a]", "preserve[1]: holds /a/b under preserve: one of them has to go"],
    ["{ preserve: [/a], leave: [/a/b] }", "leave[0]: lies in /a under preserve: one of them has to go"],
    ["{ preserve: [/a/b], shared: [/a] }", "shared[0]: holds /a/b under preserve: one of them has to go"],
    ["{ shared: [/a], leave: [/a/] }", "leave[0]: is written twice: /a under shared too"],
    ["leave: [/a, /a/b]", "leave[1]: lies in /a under leave: one of them has to go"],
    ["leave: [/run/fastmig/x]", "leave[0]: /run/fastmig is fastmig's own and differs between nodes"],
    ["preserve: [/var/lib]", "preserve[0]: /var/lib/fastmig is fastmig's own and differs between nodes"],
    ['{ preserve: [/d/x], run: { volumes: ["/a:/d:ro"] } }', "preserve[0]: lies in the read-only volume /d"],
  ])("%s", (written, problem) => {
    expect(problemsOf(withKeys(written)).map(withoutPlace)).toEqual([`services.other.${problem}`]);
  });

  test.each([
    "{ shared: [/a], leave: [/a/b] }",
    "{ leave: [/a], shared: [/a/b] }",
    "{ preserve: [/a], leave: [/ab] }",
    '{ preserve: [/d/x], run: { volumes: ["/a:/d"] } }',
    '{ shared: [/d], run: { volumes: ["/a:/d:ro"] } }',
  ])("sound: %s", (written) => {
    expect(problemsOf(withKeys(written))).toEqual([]);
  });
});

describe("ports of several services", () => {
  const both = (port: string): string =>
    other(`run: { publish: ["${port}"] }`).replace(
      migration,
      `${migration}  - { service: other, from: a, to: b }\n`,
    );

  test("two services that move to one node cannot publish the same port there", () => {
    expect(problemsOf(both("8080:9090"))).toEqual([
      "p.yaml:13:22 services.other.run.publish[0]: 8080/tcp is published by counter already, which moves to node b too",
    ]);
  });

  test.each(["8081:80", "8080:80/udp"])("%s beside 8080:80 is sound", (port) => {
    expect(problemsOf(both(port))).toEqual([]);
  });

  test("a service that stays may publish the same port", () => {
    expect(problemsOf(other('run: { publish: ["8080:80"] }'))).toEqual([]);
  });

  test("a port for direct transfers is taken", () => {
    expect(problemsOf(edited("8080:80", "7905:80"))).toEqual([
      "p.yaml:9:22 services.counter.run.publish[0]: 7905 is one of node b's transferPorts",
    ]);
  });
});

/** Keys of the service `other`, as they stand in a flow map or alone. */
function withKeys(written: string): string {
  const keys = written.startsWith("{") ? written.slice(1, -1).trim() : written;
  return edited(`image: localhost/other:1\n    ${command}`, `{ image: x, ${command}, ${keys} }`);
}

function withoutPlace(line: string): string {
  return line.replace(/^p\.yaml:[0-9]+:[0-9]+ /, "");
}
