import { expect, test } from "@jest/globals";
import { base, edited, problemsOf } from "./support.js";

const command = "command: [other]";

test.each([
  ["a tab", `${base}\toptions: {}\n`, "p.yaml:15:1 plan: Tabs are not allowed as indentation"],
  [
    "an open bracket",
    "version: 1\nnodes: [",
    "p.yaml:2:9 plan: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  [
    "the same key twice",
    edited("version: 1", "version: 1\nversion: 1"),
    "p.yaml:2:1 plan: Map keys must be unique",
  ],
  ["the same service twice", edited("  other:", "  counter:"), "p.yaml:10:3 plan: Map keys must be unique"],
  ["an unknown tag", edited(command, "command: [!env HOME]"), "p.yaml:12:15 plan: Unresolved tag: !env"],
  [
    "an unknown standard tag",
    edited(command, "command: [!!binary aGk=]"),
    "p.yaml:12:15 plan: Unresolved tag: tag:yaml.org,2002:binary",
  ],
  [
    "a second document",
    `${base}---\nversion: 1\n`,
    "p.yaml:15:1 plan: Source contains multiple documents; please use YAML.parseAllDocuments()",
  ],
  [
    "an alias without an anchor",
    edited(command, "command: *words"),
    "p.yaml:12:14 plan: Unresolved alias (the anchor must be set before the alias): words",
  ],
  [
    "a number as a key",
    edited("  other:", "  1.10:"),
    "p.yaml:10:3 plan: the key 1.10 is not text: quote it",
  ],
  [
    "nothing as a key",
    edited("  other:", "  ? \n  :"),
    "p.yaml:10:5 plan: the key (nothing) is not text: quote it",
  ],
  ["a list as a key", edited("  other:", "  ? [a]\n  :"), "p.yaml:10:5 plan: a key has to be a plain word"],
  [
    "a key that is none in JavaScript",
    edited(command, `${command}\n    env: { __proto__: x }`),
    "p.yaml:13:12 plan: the key __proto__ is not allowed",
  ],
])("%s", (_, text, problem) => {
  expect(problemsOf(text)[0]).toContain(problem);
});

test("a merge key is a key like any other, and unknown", () => {
  const text = edited("  other:\n", "  other:\n    <<: { user: x }\n");
  expect(problemsOf(text)[0]).toContain('p.yaml:11:5 services.other["<<"]: unknown key');
});

test("aliases that would unfold into millions of values are refused", () => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `x${level + 1}: &x${level + 1} [${Array(9).fill(`*x${level}`).join(", ")}]`,
  );
  const text = ["x0: &x0 [a]", ...levels, base].join("\n");
  expect(problemsOf(text)).toEqual([
    "p.yaml:2:10 plan: Excessive alias count indicates a resource exhaustion attack",
  ]);
});

test("an anchor that holds itself is no plan", () => {
  expect(problemsOf(edited(command, "command: &me [*me]")).length).toBeGreaterThan(0);
});

test("what is wrong behind an alias is shown where it is written", () => {
  const text = edited("ssh: node-b,", "ssh: &name [node-b], address: *name,");
  expect(problemsOf(text)).toEqual([
    "p.yaml:4:19 nodes.b.ssh: has to be text",
    "p.yaml:4:19 nodes.b.address: has to be text",
  ]);
});

test("a problem stays on its line, whatever it quotes", () => {
  expect(problemsOf(edited("host: 192.0.2.11", 'host: "a\\nb\\e[31m"'))).toEqual([
    'p.yaml:3:14 nodes.a.host: "a\\u000ab\\u001b[31m" is not a host name or an address',
  ]);
});

test("carriage returns and a byte-order mark change no position", () => {
  const text = `\uFEFF${edited("image: localhost/other:1", "image: 1.10").replaceAll("\n", "\r\n")}`;
  expect(problemsOf(text)).toEqual([
    'p.yaml:11:12 services.other.image: 1.10 is not text here; quote it: "1.10"',
  ]);
});
