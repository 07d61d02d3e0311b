/** The native program `shards`, with a stand-in that streams images as CRIU does. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { execFile, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { isIndex, nonceOf, parseIndex } from "../../../src/image/index-file.js";
import { binary, makeNative } from "./init-bench.js";

beforeAll(makeNative, 60_000);

const run = promisify(execFile);
const stream = join(import.meta.dirname, "../../support/criu-streams.py");
const key = randomBytes(32);
const megabyte = 1024 * 1024;

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "fastmig-shards-"));
  for (const name of ["images", "meeting", "back"]) mkdirSync(join(place, name));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const at = (...names: string[]): string => join(place, ...names);
const shards = (count = 4): string[] => Array.from({ length: count }, (_, index) => at(`${index + 1}.shard`));

/** Files as CRIU has them: small ones, an empty one, pages, more than a chunk of what can be packed and what cannot. */
function writeImages(): void {
  writeFileSync(at("images", "inventory.img"), randomBytes(100));
  writeFileSync(at("images", "empty.img"), "");
  writeFileSync(at("images", "chunk.img"), randomBytes(megabyte));
  writeFileSync(at("images", "pages-1.img"), Buffer.alloc(5 * megabyte + 4096, "a page like the others. "));
  writeFileSync(at("images", "pages-2.img"), randomBytes(3 * megabyte + 1));
}

class Program {
  readonly lines: string[] = [];
  readonly ended: Promise<{ code: number | null; said: string }>;
  readonly ready = Promise.withResolvers<void>();
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(...words: string[]) {
    this.#child = spawn(binary("shards"), words);
    this.#child.stdin.on("error", () => undefined);
    let said = "";
    this.#child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    createInterface(this.#child.stdout).on("line", (line) => {
      this.lines.push(line);
      if (line === "ready") this.ready.resolve();
    });
    this.ended = new Promise((resolve) =>
      this.#child.on("close", (code) => {
        this.ready.resolve();
        resolve({ code, said });
      }),
    );
  }

  /** The key goes first. */
  tell(text: string | Buffer): this {
    this.#child.stdin.write(text);
    return this;
  }

  hangUp(): void {
    this.#child.stdin.end();
  }

  get tag(): string {
    return this.#said("index")[1] ?? "";
  }

  get sizes(): number[] {
    return this.lines.filter((line) => line.startsWith("shard ")).map((line) => Number(line.split(" ")[1]));
  }

  #said(word: string): string[] {
    return (this.lines.find((line) => line.startsWith(`${word} `)) ?? "").split(" ").slice(1);
  }
}

const uid = String(process.getuid?.() ?? 0);

async function capture(packing: string): Promise<Program> {
  const program = new Program("capture", at("meeting"), uid, at("index"), packing, "2", ...shards()).tell(
    key,
  );
  await program.ready.promise;
  await run("python3", [stream, "give", at("meeting", "streamer-capture.sock"), at("images")]);
  program.tell("finish\n");
  expect(await program.ended).toEqual({ code: 0, said: "" });
  return program;
}

function serving(packing: string, tag: string): Program {
  return new Program("serve", at("meeting"), uid, at("index"), tag, packing, "2", ...shards()).tell(key);
}

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

describe.each(["plain", "lz4", "zstd", "plain+secret", "lz4+secret", "zstd+secret"])("%s", (packing) => {
  test("what CRIU gave it gets again; what was not there is missing", async () => {
    writeImages();
    const { tag, sizes, lines } = await capture(packing);
    expect(sizes).toEqual(shards().map((path) => statSync(path).size));
    const names = readdirSync(at("images"));
    expect(lines.filter((line) => line.startsWith("file ")).sort()).toEqual(
      names.map((name) => `file ${statSync(at("images", name)).size} ${name}`).sort(),
    );
    const program = serving(packing, tag);
    await program.ready.promise;
    const wanted = ["nothing.img", ...names];
    const socket = at("meeting", "streamer-serve.sock");
    const { stdout } = await run("python3", [stream, "take", socket, at("back"), ...wanted]);
    expect(stdout).toBe("missing nothing.img\n");
    program.hangUp();
    expect(await program.ended).toEqual({ code: 0, said: "" });
    for (const name of names) expect(digest(at("back", name))).toBe(digest(at("images", name)));
  });

  test("nothing of it is readable where it is secret", async () => {
    const mark = "a mark that nobody else may read. ".repeat(20);
    writeFileSync(at("images", "pages-1.img"), mark);
    await capture(packing);
    const found = shards().some((path) => readFileSync(path).includes("that nobody else"));
    expect(found).toBe(!packing.endsWith("+secret"));
  });
});

test("a shard whose chunks follow each other is what the lz4 program reads", async () => {
  writeImages();
  const { tag } = await capture("lz4");
  const files = parseIndex(readFileSync(at("index"))) ?? [];
  expect(isIndex(readFileSync(at("index")), key, tag)).toBe(true);
  const pages = files.find(({ name }) => name === "pages-1.img");
  const frames = (pages?.chunks ?? []).map(({ shard, at: from, stored }) =>
    readFileSync(shards()[shard] ?? "").subarray(from, from + stored),
  );
  writeFileSync(at("pages.lz4"), Buffer.concat(frames));
  await run("lz4", ["-d", "-q", at("pages.lz4"), at("pages")]);
  expect(digest(at("pages"))).toBe(digest(at("images", "pages-1.img")));
});

/** Where each of the damages below has something to damage. */
const largest = (): string => shards().reduce((a, b) => (statSync(a).size >= statSync(b).size ? a : b));

function flip(path: string, where: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8((bytes[where] ?? 0) ^ 0x10, where);
  writeFileSync(path, bytes);
}

describe("an image that is not what was written is refused before CRIU may come", () => {
  test.each<[string, () => void, RegExp]>([
    [
      "a bit of a shard",
      () => flip(largest(), 4321),
      /^shard \d is damaged: the \d+ bytes from \d+ on are not/,
    ],
    [
      "a shard's end",
      () => truncateSync(largest(), statSync(largest()).size - 1),
      /^shard \d is truncated: it has/,
    ],
    ["a bit of the index", () => flip(at("index"), 60), /^the index is damaged: it is not what was written/],
    ["the index's end", () => truncateSync(at("index"), 70), /^the index is damaged/],
  ])("%s", async (_what, damage, said) => {
    for (const packing of ["plain", "lz4+secret"]) {
      writeImages();
      const { tag } = await capture(packing);
      damage();
      const program = serving(packing, tag);
      const { code, said: words } = await program.ended;
      expect({ code, words, lines: program.lines }).toEqual({
        code: 65,
        words: expect.stringMatching(said),
        lines: [],
      });
      for (const path of [at("index"), ...shards()]) unlinkSync(path);
    }
  });

  test("a missing shard, another key", async () => {
    writeImages();
    const { tag } = await capture("plain");
    const other = new Program("check", at("index"), tag, "plain", "2", ...shards()).tell(randomBytes(32));
    expect(await other.ended).toMatchObject({
      code: 65,
      said: expect.stringContaining("the index is damaged"),
    });
    unlinkSync(largest());
    const program = serving("plain", tag);
    expect(await program.ended).toMatchObject({ code: 71, said: expect.stringContaining("No such file") });
  });
});

/** What vouches for an index that anybody could have written. */
function tagOf(index: Buffer): string {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf("index", 0));
  cipher.setAAD(index);
  cipher.final();
  return cipher.getAuthTag().toString("hex");
}

test("a hostile index: whatever it says, the program says no, or finds what was stored", async () => {
  writeImages();
  await capture("lz4");
  const good = readFileSync(at("index"));
  const change = fc.tuple(
    fc.nat(good.length - 8),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.nat(good.length),
  );
  await fc.assert(
    fc.asyncProperty(change, fc.boolean(), async ([where, value, length], cut) => {
      const index = Buffer.from(good);
      index.writeBigUInt64LE(value, where);
      const hostile = cut ? index.subarray(0, length) : index;
      writeFileSync(at("index"), hostile);
      const program = new Program("check", at("index"), tagOf(hostile), "lz4", "2", ...shards()).tell(key);
      expect([0, 65]).toContain((await program.ended).code);
    }),
    { numRuns: 200 },
  );
});

test("whoever asked is gone: it ends, and there is no index", async () => {
  const program = new Program("capture", at("meeting"), uid, at("index"), "lz4", "2", ...shards()).tell(key);
  await program.ready.promise;
  program.hangUp();
  expect(await program.ended).toMatchObject({ code: 71, said: expect.stringContaining("nobody waits") });
  expect(readdirSync(place)).not.toContain("index");
});

test.each([
  ["capture", "DIR"],
  ["capture", "DIR", "0", "INDEX", "brotli", "2", "SHARD"],
  ["capture", "DIR", "0", "INDEX", "lz4", "0", "SHARD"],
  ["serve", "DIR", "0", "INDEX", "TAG", "lz4", "2"],
  ["other"],
])("wrong usage: %s", async (...words) => {
  const program = new Program(...words);
  program.hangUp();
  expect((await program.ended).code).toBe(64);
});
