import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { FastmigError } from "../../../src/errors.js";
import { makeKeys } from "../../../src/image/keys.js";
import { parseManifest, unlock, writeManifest } from "../../../src/image/manifest.js";
import { someManifest } from "../../support/image.js";

const where = "file:/i";

async function written(passphrase: Buffer | null): Promise<string> {
  const { keys, source } = await makeKeys(passphrase);
  return writeManifest(someManifest({ key: source }), keys);
}

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "nothing";
  } catch (thrown) {
    return thrown instanceof FastmigError ? thrown.code : String(thrown);
  }
};

test("what was written is read again, and gives the keys, also where its keys are in another order", async () => {
  const passphrase = Buffer.from("correct horse");
  const { keys, source } = await makeKeys(passphrase);
  const { service, tree, ...rest } = someManifest({ key: source });
  const parsed = parseManifest(writeManifest({ ...rest, tree, service }, keys), where);
  expect(await unlock(parsed, passphrase, where)).toEqual(keys);
  const { mac, ...manifest } = parsed;
  expect(manifest).toEqual(someManifest({ key: source }));
  expect(mac).toMatch(/^[0-9a-f]{64}$/);
});

test("no passphrase, another passphrase", async () => {
  const parsed = parseManifest(await written(Buffer.from("correct horse")), where);
  await expect(unlock(parsed, null, where)).rejects.toThrow("file:/i is encrypted");
  await expect(unlock(parsed, Buffer.from("battery staple"), where)).rejects.toThrow(/another passphrase/);
});

test.each([
  [{ version: 2, format: "fastmig-image" }, "fastmig's version 2"],
  [{ version: "3", prefix: "aaNN7y", num_shards: 4, compressor: "Lz4" }, "FastFreeze's version 3"],
])("another version is said before anything else: %j", async (json, said) => {
  expect(() => parseManifest(JSON.stringify(json), where)).toThrow(said);
  expect(await codeOf(() => parseManifest(JSON.stringify(json), where))).toBe("IMAGE_VERSION");
});

test("whatever is changed in a manifest, it is refused by name", async () => {
  const text = await written(null);
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), fc.nat(127), async (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      const outcome = await codeOf(async () => unlock(parseManifest(changed, where), null, where));
      const same = isSame(text, changed);
      expect(outcome).toMatch(same ? /^nothing$/ : /^IMAGE_(DAMAGED|VERSION|PASSPHRASE)$/);
    }),
    { numRuns: 500 },
  );
});

/** White space between the words says nothing. */
function isSame(one: string, other: string): boolean {
  try {
    return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}
