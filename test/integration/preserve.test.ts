/** Archives that somebody else made: what they may write. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { unpackOnly } from "../../src/daemon/preserve.js";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "fastmig-preserve-"));
  for (const name of ["allowed", "outside"]) mkdirSync(join(place, name));
  writeFileSync(join(place, "outside", "file"), "as it was");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Members as a hostile writer chooses them: name, what it is, where a link leads or what is in it. */
function archive(members: readonly (readonly [name: string, kind: string, text: string])[]): Readable {
  const script = `import io, json, sys, tarfile
tar = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT)
for name, kind, text in json.loads(sys.argv[1]):
    member = tarfile.TarInfo(name)
    member.mode = 0o755 if kind == "dir" else 0o644
    member.type = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "link": tarfile.LNKTYPE}[kind]
    if kind in ("symlink", "link"):
        member.linkname = text
        tar.addfile(member)
    else:
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
tar.close()`;
  return Readable.from([execFileSync("python3", ["-c", script, JSON.stringify(members)])]);
}

const below = (name: string): string => `.${place}/${name}`;

test("what is below the paths is put in place, and nothing else of the archive", async () => {
  const members = archive([
    [below("allowed/file"), "file", "new"],
    [below("outside/file"), "file", "hostile"],
    [below("outside/other"), "file", "hostile"],
    [`${place}/outside/absolute`, "file", "hostile"],
    [`${below("allowed")}/../outside/upwards`, "file", "hostile"],
  ]);
  await unpackOnly(members, [join(place, "allowed")]).catch(() => undefined);
  expect(readFileSync(join(place, "allowed/file"), "utf8")).toBe("new");
  expect(readFileSync(join(place, "outside/file"), "utf8")).toBe("as it was");
  for (const name of ["other", "absolute", "upwards"])
    expect(existsSync(join(place, "outside", name))).toBe(false);
});

test.each([
  [
    "through a symlink",
    () => [
      [below("allowed/way"), "symlink", join(place, "outside")],
      [below("allowed/way/file"), "file", "hostile"],
    ],
  ],
  [
    "through a symlink upwards",
    () => [
      [below("allowed/way"), "symlink", "../outside"],
      [below("allowed/way/file"), "file", "hostile"],
    ],
  ],
  [
    "over a symlink to the file",
    () => [
      [below("allowed/file"), "symlink", "../outside/file"],
      [below("allowed/file"), "file", "hostile"],
    ],
  ],
  [
    "over a hard link to the file",
    () => [
      [below("allowed/file"), "link", below("outside/file")],
      [below("allowed/file"), "file", "hostile"],
    ],
  ],
] as const)("it does not write %s", async (_how, members) => {
  await unpackOnly(archive(members() as [string, string, string][]), [join(place, "allowed")]).catch(
    () => undefined,
  );
  expect(readFileSync(join(place, "outside/file"), "utf8")).toBe("as it was");
});

test("a path that is not in the archive is said, and so is an archive that breaks off", async () => {
  const members = archive([[below("allowed/file"), "file", "new"]]);
  await expect(unpackOnly(members, [join(place, "other")])).rejects.toThrow(/other: Not found in archive/);
  const whole = await archive([[below("allowed/file"), "file", "x".repeat(5000)]]).toArray();
  const half = Buffer.concat(whole as Buffer[]).subarray(0, 2000);
  await expect(unpackOnly(Readable.from([half]), [join(place, "allowed")])).rejects.toThrow(
    /tar --extract ended/,
  );
});
