import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { keyFacts, publicKeyOf } from "../../../src/remote/ssh/identity-file.js";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "fastmig-key-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe.each([
  ["ed25519", []],
  ["ecdsa", []],
  ["rsa", ["-b", "2048"]],
])("a key of type %s", (type, more) => {
  test.each([
    ["", false],
    ["a passphrase", true],
  ])("with the passphrase %j", (passphrase, encrypted) => {
    const file = join(directory, `${type}${encrypted}`);
    execFileSync("ssh-keygen", ["-q", "-t", type, ...more, "-N", passphrase, "-f", file]);
    const publicKey = publicKeyOf(readFileSync(`${file}.pub`, "utf8"));
    expect(keyFacts(readFileSync(file, "utf8"))).toEqual({ encrypted, publicKey });
  });
});

test("PEM says it in its headers", () => {
  const pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
  expect(keyFacts(pem)).toEqual({ encrypted: true, publicKey: null });
  expect(keyFacts("-----BEGIN ENCRYPTED PRIVATE KEY-----\n").encrypted).toBe(true);
  expect(keyFacts("-----BEGIN RSA PRIVATE KEY-----\nMII").encrypted).toBe(false);
});

test("never throws, whatever a file holds", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const body = Buffer.concat([Buffer.from("openssh-key-v1\0"), bytes]).toString("base64");
      void keyFacts(`-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----`);
    }),
  );
  expect(publicKeyOf("no key")).toBeNull();
});
