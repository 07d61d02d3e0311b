import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  fingerprint,
  judge,
  keyType,
  knownHostLine,
  knownTypes,
  names,
  parseKnownHosts,
} from "../../../src/remote/ssh/known-hosts.js";

function key(type: string, seed = "a"): Buffer {
  const field = (data: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, data.length]), data]);
  return Buffer.concat([field(Buffer.from(type)), field(Buffer.from(seed))]);
}
const encoded = (type: string, seed?: string): string => `${type} ${key(type, seed).toString("base64")}`;
const ed = "ssh-ed25519";
const rsa = "ssh-rsa";
const entries = (...lines: string[]) => parseKnownHosts("/known_hosts", lines.join("\n"));

describe("parsing", () => {
  test("keeps where each entry stands", () => {
    expect(entries("# comment", "", `host ${encoded(ed)} a comment`)).toEqual([
      { file: "/known_hosts", line: 3, marker: "none", patterns: ["host"], type: ed, key: key(ed) },
    ]);
  });

  test("knows the markers", () => {
    expect(
      entries(`@revoked * ${encoded(ed)}`, `@cert-authority *.x ${encoded(ed)}`).map(({ marker }) => marker),
    ).toEqual(["revoked", "certAuthority"]);
  });

  test.each([
    ["a comment", `#host ${encoded(ed)}`],
    ["an unknown marker", `@sometimes host ${encoded(ed)}`],
    ["no key", "host ssh-ed25519"],
    ["nothing", "host"],
    ["a key that is none", "host ssh-ed25519 AAAA"],
    ["a key of another type than the line says", `host ssh-rsa ${key(ed).toString("base64")}`],
    ["an old protocol 1 key", "host 1024 37 1234567"],
  ])("passes over %s", (_what, line) => {
    expect(entries(line)).toEqual([]);
  });

  test("tabs, carriage returns and leading blanks are fine", () => {
    expect(entries(`  host\t${encoded(ed).replace(" ", "\t")}\r`)).toHaveLength(1);
  });

  test("never throws, whatever a file holds", () => {
    fc.assert(fc.property(fc.string(), (text) => void judge(parseKnownHosts("f", text), ["host"], key(ed))));
    const words = fc.constantFrom(
      "@revoked",
      "|1|",
      "host",
      "!",
      "*",
      ed,
      "AAAAC3Nz",
      ",",
      " ",
      "\n",
      "\t",
      "#",
      "=",
    );
    fc.assert(
      fc.property(
        fc.array(words),
        (parts) => void judge(parseKnownHosts("f", parts.join("")), ["host"], key(ed)),
      ),
    );
  });
});

describe("which hosts an entry names", () => {
  test.each([
    ["host", "host", true],
    ["HOST", "host", true],
    ["host", "hostile", false],
    ["other,host", "host", true],
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "example.com", false],
    ["h?st", "host", true],
    ["h?st", "hst", false],
    ["*", "anything", true],
    ["*", "[anything]:2222", true],
    ["192.0.2.*", "192.0.2.7", true],
    ["*,!host", "host", false],
    ["!host,*", "host", false],
    ["!*.bad,*", "x.good", true],
    ["!host", "other", false],
    ["[host]:2222", "[host]:2222", true],
    ["[host]:2222", "host", false],
    ["host", "[host]:2222", false],
    ["[*]:2222", "[host]:2222", true],
    ["[::1]:22022", "[::1]:22022", true],
    ["::1", "::1", true],
    ["a.b", "axb", false],
    ["**a**", "bab", true],
  ])("%s names %s: %s", (patterns, name, expected) => {
    expect(names({ patterns: patterns.split(",") }, name)).toBe(expected);
  });

  const hashed = "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|";

  test("a hash, and nothing but the very name", () => {
    const [entry] = entries(
      knownHostLine("host.example", key(ed), Buffer.from("000102030405060708090a0b0c0d0e0f10111213", "hex")),
    );
    expect(entry?.patterns[0]).toMatch(new RegExp(`^${hashed.replaceAll("|", "\\|")}`));
    expect(entry && names(entry, "host.example")).toBe(true);
    expect(entry && names(entry, "host.exampl")).toBe(false);
  });

  test.each(["|1|", "|1|salt", "|2|AAAA|AAAA", "|", "|1||"])("a broken hash names nobody: %s", (pattern) => {
    expect(names({ patterns: [pattern] }, "host")).toBe(false);
  });

  const name = fc.stringMatching(/^[a-z0-9.:[\]-]{1,20}$/);

  test("every name names itself, plain and hashed", () => {
    fc.assert(
      fc.property(name, fc.uint8Array({ minLength: 20, maxLength: 20 }), (host, salt) => {
        expect(names({ patterns: [host] }, host)).toBe(true);
        const [entry] = entries(knownHostLine(host, key(ed), Buffer.from(salt)));
        expect(entry && names(entry, host)).toBe(true);
      }),
    );
  });

  test("wildcards agree with a regular expression", () => {
    const pattern = fc.stringMatching(/^[ab*?.]{0,8}$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[ab.]{1,8}$/), (written, host) => {
        const source = written.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(names({ patterns: [written] }, host)).toBe(new RegExp(`^${source}$`).test(host));
      }),
      { numRuns: 1000 },
    );
  });

  test("a pattern of many stars takes no time", () => {
    const started = performance.now();
    names({ patterns: ["*a".repeat(200)] }, "a".repeat(199) + "b");
    expect(performance.now() - started).toBeLessThan(200);
  });

  test("an exclusion wins wherever it stands", () => {
    fc.assert(
      fc.property(
        name,
        fc.shuffledSubarray(["*", "?*", "host"], { minLength: 1 }),
        fc.nat(3),
        (host, others, at) => {
          const patterns = [...others];
          patterns.splice(at, 0, `!${host}`);
          expect(names({ patterns }, host)).toBe(false);
        },
      ),
    );
  });
});

describe("the verdict", () => {
  const shown = key(ed);

  test.each<[string, string[], string[], string]>([
    ["nothing known", [], ["host"], "unknown"],
    ["another host's key", [`other ${encoded(ed)}`], ["host"], "unknown"],
    ["the key", [`host ${encoded(ed)}`], ["host"], "known"],
    ["the key after another one", [`host ${encoded(ed, "old")}`, `host ${encoded(ed)}`], ["host"], "known"],
    ["another key of the type", [`host ${encoded(ed, "b")}`], ["host"], "changed"],
    ["a key of another type alone", [`host ${encoded(rsa)}`], ["host"], "changed"],
    ["revoked for all", [`host ${encoded(ed)}`, `@revoked * ${encoded(ed)}`], ["host"], "revoked"],
    ["revoked for another host", [`host ${encoded(ed)}`, `@revoked other ${encoded(ed)}`], ["host"], "known"],
    ["another key is revoked", [`host ${encoded(ed)}`, `@revoked * ${encoded(ed, "b")}`], ["host"], "known"],
    ["a revocation is no acquaintance", [`@revoked * ${encoded(ed, "b")}`], ["host"], "unknown"],
    ["an authority alone", [`@cert-authority * ${encoded(rsa)}`], ["host"], "certAuthority"],
    [
      "an authority's own key shown as the host's",
      [`@cert-authority * ${encoded(ed)}`],
      ["host"],
      "certAuthority",
    ],
    [
      "an authority and the key",
      [`@cert-authority * ${encoded(rsa)}`, `host ${encoded(ed)}`],
      ["host"],
      "known",
    ],
    [
      "an authority and another key",
      [`@cert-authority * ${encoded(rsa)}`, `host ${encoded(ed, "b")}`],
      ["host"],
      "changed",
    ],
    ["the name with its port", [`[host]:2222 ${encoded(ed)}`], ["[host]:2222", "host"], "known"],
    ["the name without its port confirms", [`host ${encoded(ed)}`], ["[host]:2222", "host"], "known"],
    [
      "the name without its port accuses nobody",
      [`host ${encoded(ed, "b")}`],
      ["[host]:2222", "host"],
      "unknown",
    ],
    [
      "the name with its port decides alone",
      [`host ${encoded(ed)}`, `[host]:2222 ${encoded(ed, "b")}`],
      ["[host]:2222", "host"],
      "changed",
    ],
  ])("%s", (_what, lines, hostNames, expected) => {
    expect(judge(entries(...lines), hostNames, shown).kind).toBe(expected);
  });

  test("a change names the entry of the same type first", () => {
    const verdict = judge(entries(`host ${encoded(rsa)}`, `host ${encoded(ed, "b")}`), ["host"], shown);
    expect(verdict).toMatchObject({ kind: "changed", entry: { line: 2 } });
  });

  test("a host that is known is never unknown: whatever else stands in the file", () => {
    const line = fc.oneof(
      fc.string().map((text) => text.replaceAll("\n", "")),
      fc.constantFrom(
        `host ${encoded(rsa)}`,
        `* ${encoded(ed, "c")}`,
        `other ${encoded(ed)}`,
        `@cert-authority * ${encoded(rsa)}`,
      ),
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const file = entries(...before, `host ${encoded(ed, "b")}`, ...after);
        expect(["changed", "known"]).toContain(judge(file, ["host"], shown).kind);
      }),
    );
  });
});

test("the types a host is known by", () => {
  const file = entries(
    `host ${encoded(rsa)}`,
    `host ${encoded(rsa, "b")}`,
    `[host]:22 ${encoded(ed)}`,
    `@revoked host ${encoded("ecdsa-sha2-nistp256")}`,
  );
  expect(knownTypes(file, ["host"])).toEqual([rsa]);
});

test("a key's type, and no type where there is no key", () => {
  expect(keyType(key(rsa))).toBe(rsa);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => typeof keyType(Buffer.from(bytes)) === "string"),
  );
  expect(keyType(Buffer.from([0, 0, 0, 200, 1]))).toBe("");
});

test("a fingerprint as ssh-keygen prints it", () => {
  const github = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  expect(fingerprint(Buffer.from(github, "base64"))).toBe(
    "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
  );
});
