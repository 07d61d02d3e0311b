import { describe, expect, test } from "@jest/globals";
import { fetchOptions, findMirror } from "../../../src/lab/mirror.js";

const deb822 = `\
Types: deb
# a comment
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;

describe("the mirror in apt's sources", () => {
  test.each([
    ["deb822", deb822, "http://mirror.example/debian"],
    ["one line", "deb http://one.example/debian bookworm main\n", "http://one.example/debian"],
    [
      "one line with options",
      "deb [arch=amd64 signed-by=/k] https://two.example/d bookworm main",
      "https://two.example/d",
    ],
    [
      "security comes first",
      `deb http://s.example/ bookworm-security main\n${"deb http://m.example/ bookworm main"}`,
      "http://m.example",
    ],
    ["another suite only", "deb http://one.example/debian trixie main", undefined],
    ["commented out", "# deb http://one.example/debian bookworm main", undefined],
    ["sources only", "deb-src http://one.example/debian bookworm main", undefined],
    ["disabled", deb822.replace("Types", "Enabled: no\nTypes"), undefined],
    ["a mirror list of this machine", "deb mirror+file:/etc/apt/mirrors.txt bookworm main", undefined],
    ["nothing", "", undefined],
  ])("%s", (_, text, mirror) => {
    expect(findMirror(text, "bookworm")).toBe(mirror);
  });
});

test("how apt fetches goes along, what only this machine can run does not", () => {
  const dump = [
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::http::Proxy-Auto-Detect "/usr/bin/auto-apt-proxy";',
    'Acquire::https::Proxy::deb.example "DIRECT";',
    'Acquire::http::Proxy "";',
    'Acquire::Check-Date "false";',
    'APT::Architecture "amd64";',
  ];
  expect(fetchOptions(dump.join("\n"))).toEqual([dump[0], dump[2], dump[4]]);
});
