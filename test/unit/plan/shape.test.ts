import { describe, expect, test } from "@jest/globals";
import { knownKeys } from "../../../src/plan/shape.js";
import { base, edited, problemsOf } from "./support.js";

/** In the base plan: what is replaced, by what, and the problem as it is printed. */
type Row = [from: string, to: string, problem: string];

const host = "host: 192.0.2.11";
const command = "command: [other]";
const also = (more: string): string => `${command}\n    ${more}`;
const migration = "from: a, to: b }";

describe("nodes", () => {
  test.each<Row>([
    [host, "sudo: true", "p.yaml:3:6 nodes.a: needs exactly one of host, ssh"],
    [host, `${host}, ssh: x`, "p.yaml:3:6 nodes.a: needs exactly one of host, ssh"],
    [host, "hots: x", "p.yaml:3:8 nodes.a.hots: unknown key; did you mean host?"],
    [
      host,
      "host: ops@x",
      'p.yaml:3:14 nodes.a.host: "ops@x" is not a host: write the part before @ under user',
    ],
    [
      host,
      "host: x:22",
      'p.yaml:3:14 nodes.a.host: "x:22" is not a host: write the number after : under port',
    ],
    [
      host,
      "host: -oProxyCommand=x",
      'p.yaml:3:14 nodes.a.host: "-oProxyCommand=x" is not a host name or an address',
    ],
    [host, "host:", 'p.yaml:3:8 nodes.a.host: nothing is not text here; quote it: ""'],
    [host, "host: [x]", "p.yaml:3:14 nodes.a.host: has to be text"],
    [host, `${host}, user: "a b"`, 'p.yaml:3:32 nodes.a.user: "a b" is not a user\'s name'],
    [host, `${host}, port: 0`, "p.yaml:3:32 nodes.a.port: has to be a whole number from 1 to 65535"],
    [host, `${host}, port: 2.5`, "p.yaml:3:32 nodes.a.port: has to be a whole number from 1 to 65535"],
    [host, `${host}, port: "22"`, "p.yaml:3:32 nodes.a.port: has to be a number"],
    [host, `${host}, sudo: yes`, "p.yaml:3:32 nodes.a.sudo: has to be true or false"],
    [
      host,
      `${host}, engine: docker`,
      "p.yaml:3:34 nodes.a.engine: has to be podman, which is all there is so far",
    ],
    [
      "ssh: node-b",
      "ssh: -x",
      'p.yaml:4:13 nodes.b.ssh: "-x" is not one word: it must not be empty, hold spaces or begin with -',
    ],
    [
      "ssh: node-b",
      "ssh: x, user: y",
      "p.yaml:4:22 nodes.b.user: does not go with ssh: write it in ~/.ssh/config",
    ],
    [
      "ssh: node-b",
      "ssh: x, port: 1",
      "p.yaml:4:22 nodes.b.port: does not go with ssh: write it in ~/.ssh/config",
    ],
    [
      "7900-7919",
      "7919-7900",
      'p.yaml:4:36 nodes.b.transferPorts: "7919-7900" is not a range of ports: the first is higher than the last',
    ],
    [
      "7900-7919",
      "1-2-3",
      'p.yaml:4:36 nodes.b.transferPorts: "1-2-3" is not a range of ports: "7900-7919", or one port',
    ],
    ["7900-7919", "70000", 'p.yaml:4:36 nodes.b.transferPorts: "70000" is not a port: 1 to 65535'],
    [
      "7900-7919",
      "[1]",
      'p.yaml:4:36 nodes.b.transferPorts: is not a range of ports: "7900-7919", or one port',
    ],
    [
      "  a: {",
      "  A: {",
      'p.yaml:3:3 nodes.A: "A" is not a name: a-z and 0-9, after the first also . _ -, at most 63',
    ],
  ])("%s → %s", (from, to, problem) => {
    expect(problemsOf(edited(from, to))).toContain(problem);
  });
});

describe("services", () => {
  test.each<Row>([
    [
      "image: localhost/other:1",
      "image: 1.10",
      'p.yaml:11:12 services.other.image: 1.10 is not text here; quote it: "1.10"',
    ],
    ["    image: localhost/other:1\n", "", "p.yaml:10:3 services.other.image: is missing"],
    [
      command,
      "command: other --now",
      "p.yaml:12:14 services.other.command: write it as a list: [other, --now]",
    ],
    [command, "command: []", "p.yaml:12:14 services.other.command: must not be empty"],
    [command, 'command: [""]', "p.yaml:12:15 services.other.command[0]: is nothing that could be run"],
    [command, "command: [a, 5]", 'p.yaml:12:18 services.other.command[1]: 5 is not text here; quote it: "5"'],
    [
      command,
      also("env: { V: 1.10 }"),
      'p.yaml:13:15 services.other.env.V: 1.10 is not text here; quote it: "1.10"',
    ],
    [
      command,
      also("env: { V: true }"),
      'p.yaml:13:15 services.other.env.V: true is not text here; quote it: "true"',
    ],
    [command, also("env: { V: ~ }"), 'p.yaml:13:15 services.other.env.V: ~ is not text here; quote it: "~"'],
    [
      command,
      also("env: { 1V: x }"),
      'p.yaml:13:12 services.other.env.1V: "1V" is not a variable\'s name: letters, digits and _, no digit first',
    ],
    [command, also("env: [A=b]"), "p.yaml:13:10 services.other.env: has to be a map of keys and values"],
    [
      command,
      also("user: 1000"),
      'p.yaml:13:11 services.other.user: 1000 is not text here; quote it: "1000"',
    ],
    [
      command,
      also('user: "a b"'),
      'p.yaml:13:11 services.other.user: "a b" is not a user: name, uid, name:group or uid:gid',
    ],
    [
      command,
      also("workdir: srv"),
      'p.yaml:13:14 services.other.workdir: "srv" is not an absolute path: it has to begin with / (~ has no meaning here)',
    ],
    [
      command,
      also("preserve: [/a/../b]"),
      'p.yaml:13:16 services.other.preserve[0]: "/a/../b" holds "..": write the path without it',
    ],
    [
      command,
      also("shared: [//]"),
      'p.yaml:13:14 services.other.shared[0]: "//" is the whole file system: name what lies in it',
    ],
    [command, also("leave: /tmp"), "p.yaml:13:12 services.other.leave: write it as a list: [/tmp]"],
    [
      command,
      also("run: { publish: [8080] }"),
      'p.yaml:13:22 services.other.run.publish[0]: "8080" is not a published port: "8080:80", "127.0.0.1:8080:80" or "[::1]:8080:80", with /udp where it is not tcp',
    ],
    [
      command,
      also('run: { publish: ["0:1"] }'),
      'p.yaml:13:22 services.other.run.publish[0]: "0" is not a port: 1 to 65535',
    ],
    [
      command,
      also('run: { volumes: ["/a:b"] }'),
      'p.yaml:13:22 services.other.run.volumes[0]: "b" is not an absolute path: it has to begin with / (~ has no meaning here)',
    ],
    [
      command,
      also('run: { volumes: ["/a:/b:rw"] }'),
      'p.yaml:13:22 services.other.run.volumes[0]: "/a:/b:rw" is not a volume: "/path of the node:/path of the container", with :ro where it is read-only',
    ],
    [command, also("run: { ip: 1.2.3 }"), 'p.yaml:13:16 services.other.run.ip: "1.2.3" is not an IP address'],
    [
      command,
      also("run: { memory: 512 }"),
      'p.yaml:13:20 services.other.run.memory: "512" is not a size with its unit: 300MB, 1.5GB (powers of 1000: B, kB, MB, GB, TB) or 300MiB (KiB, MiB, GiB, TiB)',
    ],
    [
      command,
      also("run: { memory: 0B }"),
      'p.yaml:13:20 services.other.run.memory: "0B" is nothing: it has to be more than 0',
    ],
    [
      command,
      also("run: { netwrok: x }"),
      "p.yaml:13:12 services.other.run.netwrok: unknown key; did you mean network?",
    ],
    [
      command,
      also("criu: x"),
      "p.yaml:13:5 services.other.criu: unknown key; known here: image, command, env, user, workdir, run, cpuBaseline, virtualTime, preserve, shared, leave, checkpoint, health",
    ],
  ])("%s → %s", (from, to, problem) => {
    expect(problemsOf(edited(from, to))).toEqual([problem]);
  });
});

describe("health", () => {
  test.each([
    ["timeout: 1s", "p.yaml:13:13 services.other.health: needs exactly one of http, exec, tcp"],
    [
      'tcp: "{node}:1", exec: [a]',
      "p.yaml:13:13 services.other.health: needs exactly one of http, exec, tcp",
    ],
    [
      'tcp: "{node}"',
      'p.yaml:13:20 services.other.health.tcp: "{node}" is not a host and a port like "{node}:6379"',
    ],
    ['tcp: "{node}:x"', 'p.yaml:13:20 services.other.health.tcp: "x" is not a port: 1 to 65535'],
    [
      'tcp: "{nod}:1"',
      'p.yaml:13:20 services.other.health.tcp: "{nod}:1" holds {nod}: only {node} is known here',
    ],
    [
      'http: "{node}:80"',
      'p.yaml:13:21 services.other.health.http: "{node}:80" is not an address like "http://{node}:8080/healthz"',
    ],
    [
      'http: "ftp://{node}"',
      'p.yaml:13:21 services.other.health.http: "ftp://{node}" is not an address like "http://{node}:8080/healthz"',
    ],
    [
      'exec: ["{service}"]',
      'p.yaml:13:22 services.other.health.exec[0]: "{service}" holds {service}: only {node} is known here',
    ],
    ['exec: [""]', "p.yaml:13:22 services.other.health.exec[0]: is nothing that could be run"],
    [
      "exec: [a], timeout: 10",
      'p.yaml:13:35 services.other.health.timeout: "10" is not a duration with its unit: 300ms, 1.5s, 5m, 1h or 1h30m',
    ],
    [
      "exec: [a], interval: 0s",
      'p.yaml:13:36 services.other.health.interval: "0s" is nothing: it has to be more than 0',
    ],
  ])("{ %s }", (written, problem) => {
    expect(problemsOf(edited(command, also(`health: { ${written} }`)))).toEqual([problem]);
  });
});

describe("migrations and options", () => {
  const options = (more: string): string => `${migration}\noptions: { ${more} }`;
  test.each<Row>([
    [migration, "from: a }", "p.yaml:14:5 migrations[0].to: is missing"],
    [
      migration,
      "from: a, to: b, strategy: post-copy }",
      "p.yaml:14:51 migrations[0].strategy: has to be stop-and-copy or pre-copy",
    ],
    [
      migration,
      "from: a, to: b, tries: 5 }",
      "p.yaml:14:41 migrations[0].tries: unknown key; known here: service, from, to, strategy, rounds, downtime, onDivergence, onUnsupported, bandwidth, deadline, lease, transfer, tcp",
    ],
    [
      migration,
      "from: a, to: b, rounds: 5 }",
      "p.yaml:14:49 migrations[0].rounds: goes with strategy: pre-copy only",
    ],
    [
      migration,
      "from: a, to: b, strategy: pre-copy, rounds: 0 }",
      "p.yaml:14:69 migrations[0].rounds: has to be a whole number from 1 to 1000",
    ],
    [
      migration,
      "from: a, to: b, strategy: pre-copy, rounds: many }",
      "p.yaml:14:69 migrations[0].rounds: has to be auto or a whole number from 1 to 1000",
    ],
    [
      migration,
      "from: a, to: b, strategy: pre-copy, bandwidth: fast }",
      'p.yaml:14:72 migrations[0].bandwidth: "fast" is not a rate with its unit: 100MB/s, 100MiB/s or 100Mbit/s (kbit/s, Mbit/s, Gbit/s)',
    ],
    [
      migration,
      "from: a, to: b, bandwidth: { finale: 1MB/s } }",
      "p.yaml:14:54 migrations[0].bandwidth.finale: unknown key; did you mean final?",
    ],
    [
      migration,
      "from: a, to: b, bandwidth: 7 }",
      "p.yaml:14:52 migrations[0].bandwidth: has to be a rate (100MB/s) or a map of rounds and final",
    ],
    [
      migration,
      "from: a, to: b, transfer: ssh }",
      "p.yaml:14:51 migrations[0].transfer: has to be auto or direct or relay",
    ],
    [
      migration,
      "from: a, to: b, tcp: keep }",
      "p.yaml:14:46 migrations[0].tcp: has to be close, which is all there is so far",
    ],
    [
      migration,
      "from: a, to: b, lease: 10 }",
      'p.yaml:14:48 migrations[0].lease: "10" is not a duration with its unit: 300ms, 1.5s, 5m, 1h or 1h30m',
    ],
    [
      migration,
      "from: a, to: b, deadline: 0ms }",
      'p.yaml:14:51 migrations[0].deadline: "0ms" is nothing: it has to be more than 0',
    ],
    [migration, options("paralel: 4"), "p.yaml:15:12 options.paralel: unknown key; did you mean parallel?"],
    [
      migration,
      options("perNode: 0"),
      "p.yaml:15:21 options.perNode: has to be a whole number from 1 to 1000",
    ],
    [migration, options("onFailure: retry"), "p.yaml:15:23 options.onFailure: has to be stop or continue"],
    [
      migration,
      options("keepSource: 1d"),
      'p.yaml:15:24 options.keepSource: "1d" is not a duration with its unit: 300ms, 1.5s, 5m, 1h or 1h30m',
    ],
    ["migrations:\n  -", "migrations:", "p.yaml:13:13 migrations: has to be a list"],
  ])("%s → %s", (from, to, problem) => {
    expect(problemsOf(edited(from, to))).toEqual([problem]);
  });
});

describe("the whole", () => {
  test.each([
    ["", "p.yaml:1:1 plan: has to be a map of keys and values"],
    ["# nothing\n", "p.yaml:1:1 plan: has to be a map of keys and values"],
    ["[]", "p.yaml:1:1 plan: has to be a map of keys and values"],
    ["just text", "p.yaml:1:1 plan: has to be a map of keys and values"],
    ["version: 1\nnodes: {}\nservices: { a: { image: x, command: [x] } }", "p.yaml:2:8 nodes: has no nodes"],
    ["version: 1\nnodes: { a: { host: x } }\nservices: {}", "p.yaml:3:11 services: has no services"],
    [
      edited("version: 1", "version: 2\nlater: x"),
      "p.yaml:1:10 version: has to be 1: this is the version that this program reads",
    ],
    [
      edited("version: 1\n", ""),
      "p.yaml:1:1 version: has to be 1: this is the version that this program reads",
    ],
    [
      `${base}hooks: {}\n`,
      "p.yaml:15:1 hooks: unknown key; known here: version, nodes, services, migrations, options",
    ],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test("every problem at once, from the top to the end", () => {
    const text = edited(host, "hots: x").replace(command, "command: other").replace("to: b", "to: c");
    expect(problemsOf(text)).toEqual([
      "p.yaml:3:6 nodes.a: needs exactly one of host, ssh",
      "p.yaml:3:8 nodes.a.hots: unknown key; did you mean host?",
      "p.yaml:12:14 services.other.command: write it as a list: [other]",
      'p.yaml:14:38 migrations[0].to: there is no node "c"; known: a, b',
    ]);
  });

  test("the keys of every map can be named", () => {
    expect(knownKeys(["migrations", 3])).toContain("lease");
    expect(knownKeys(["services", "any", "run"])).toContain("publish");
    expect(knownKeys(["services", "any", "env"])).toEqual([]);
  });
});
