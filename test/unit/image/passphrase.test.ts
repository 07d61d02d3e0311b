import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPassphrase } from "../../../src/image/passphrase.js";

test.each([
  ["secret\n", "secret"],
  ["secret", "secret"],
  ["two words \nanother line\n", "two words "],
])("of %j the passphrase is %j", async (content, passphrase) => {
  expect(String(await read(content))).toBe(passphrase);
});

test("no file named, none there, nothing in its first line", async () => {
  expect(await readPassphrase(undefined)).toBeNull();
  await expect(readPassphrase("/nowhere/at/all")).rejects.toThrow(
    /\/nowhere\/at\/all cannot be read: ENOENT/,
  );
  await expect(read("\nsecond")).rejects.toThrow("has no passphrase in its first line");
});

async function read(content: string): Promise<Buffer | null> {
  const place = mkdtempSync(join(tmpdir(), "fastmig-passphrase-"));
  writeFileSync(join(place, "key"), content);
  return readPassphrase(join(place, "key")).finally(() => rmSync(place, { recursive: true }));
}
