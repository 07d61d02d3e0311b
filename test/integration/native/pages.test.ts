/** The native program `pages`, on directories as CRIU leaves them. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativePageLists } from "../../../src/daemon/page-lists.js";
import {
  type Entry,
  inParent,
  message,
  pageList,
  pageSize,
  pagesOf,
  present,
  readPageList,
  readPages,
  varints,
} from "../../support/page-lists.js";
import { binary, makeNative } from "./init-bench.js";

beforeAll(makeNative, 60_000);

let images: string;
beforeEach(() => {
  images = mkdtempSync(join(tmpdir(), "fastmig-pages-"));
});
afterEach(() => rmSync(images, { recursive: true, force: true }));

const lists = nativePageLists(binary("pages"));
const never = new AbortController().signal;
const base = 0x7f12_3456_7000;
const at = (page: number, pages: number, flags = present): Entry => ({
  ...{ address: base + page * pageSize, pages, flags },
});

describe("join", () => {
  async function joined(image: Buffer): Promise<Buffer> {
    const path = join(images, "pagemap-7.img");
    writeFileSync(path, image);
    await lists.join(images);
    return readFileSync(path);
  }

  const old = (entry: Entry): Entry => ({ ...entry, old: true });
  test.each<[string, Entry[], Entry[]]>([
    ["runs that follow each other are one", [at(0, 2), at(2, 2), at(4, 1)], [at(0, 5)]],
    ["with a hole between them they stay two", [at(0, 2), at(3, 2)], [at(0, 2), at(3, 2)]],
    [
      "one that is the parent's stays by itself",
      [at(0, 2), at(2, 2, inParent), at(4, 2, inParent)],
      [at(0, 2), at(2, 4, inParent)],
    ],
    ["as an older CRIU lists them", [at(0, 2), at(2, 3)].map(old), [at(0, 5)].map(old)],
    ["none at all", [], []],
  ])("%s", async (_, entries, whole) => {
    const { pagesId, entries: after } = readPageList(await joined(pageList(entries)));
    expect([pagesId, after]).toEqual([7, whole]);
  });

  test("whatever they are, the same pages stay in the same order, and none can be joined any more", async () => {
    const entry = fc.record({
      hole: fc.integer({ min: 0, max: 2 }),
      pages: fc.integer({ min: 1, max: 4 }),
      flags: fc.constantFrom(present, inParent),
      old: fc.boolean(),
    });
    const property = fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (made) => {
      let page = 0;
      const entries = made.map(({ hole, pages, flags, old }): Entry => {
        page += hole + pages;
        return { ...at(page - pages, pages, flags), ...(old && { old }) };
      });
      const image = pageList(entries);
      const after = await joined(image);
      expect(pagesOf(readPageList(after))).toEqual(pagesOf(readPageList(image)));
      expect(await joined(after)).toEqual(after);
    });
    await fc.assert(property);
  });

  test("what is not such a list is left as it is", async () => {
    const image = pageList([at(0, 2), at(2, 2)]);
    const odd = [
      Buffer.alloc(0),
      image.subarray(0, image.length - 1),
      Buffer.concat([Buffer.alloc(8), image.subarray(8)]),
      Buffer.concat([image, message(varints([[6, 1]]))]),
      Buffer.concat([image, message(Buffer.from([0xff]))]),
      pageList([at(2, 2), at(0, 2)]),
      pageList([at(0, 2, 0), at(2, 2, 0)]),
    ];
    for (const one of odd) expect(await joined(one)).toEqual(one);
    const noise = fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
      await joined(Buffer.concat([image, bytes]));
    });
    await fc.assert(noise);
  });
});

describe("fold", () => {
  /** The pages of one process: number to content. */
  type Memory = ReadonlyMap<number, string>;
  type Life = "goes on" | "ends" | "ends, and another has its PID";
  interface Change {
    name: string;
    write: number[];
    unmap: number[];
    life: Life;
  }

  /** As CRIU: what changed is here, what did not is the parent's, which names it. */
  function dump(
    directory: string,
    parent: string | undefined,
    name: string,
    changed: Memory,
    kept: number[],
  ): void {
    mkdirSync(join(images, directory), { recursive: true });
    const pages = [...changed.keys(), ...kept].sort((a, b) => a - b);
    const entries = pages.map((page) => at(page, 1, changed.has(page) ? present : inParent));
    const id = Number(/\d+/.exec(name)?.[0]);
    writeFileSync(join(images, directory, name), pageList(entries, id));
    const contents = pages.flatMap((page) =>
      changed.has(page) ? [Buffer.alloc(pageSize, changed.get(page))] : [],
    );
    writeFileSync(join(images, directory, `pages-${id}.img`), Buffer.concat(contents));
    link(directory, parent);
  }

  function link(directory: string, parent: string | undefined): void {
    const path = join(images, directory, "parent");
    rmSync(path, { force: true });
    if (parent !== undefined) symlinkSync(`../${parent}`, path);
  }

  /** Processes that write, unmap, end and are born, and a chain of rounds of theirs, some of which are folded. */
  class Processes {
    readonly memory = new Map<string, Map<number, string>>();
    /** What the newest round lists, and what was written since. */
    #listed = new Map<string, number[]>();
    #written = new Map<string, Set<number>>();
    readonly levels: string[] = [];

    change({ name, write, unmap, life }: Change, time: string): void {
      // CRIU dumps another one whole.
      if (life !== "goes on") [this.memory, this.#listed, this.#written].forEach((each) => each.delete(name));
      if (life === "ends") return;
      const memory = this.memory.get(name) ?? new Map<number, string>();
      const written = this.#written.get(name) ?? new Set<number>();
      for (const page of unmap) [memory, written].forEach((each) => each.delete(page));
      this.#listed.set(
        name,
        (this.#listed.get(name) ?? []).filter((page) => !unmap.includes(page)),
      );
      for (const page of write) {
        memory.set(page, `${time}.${page}.`.padEnd(8, "x"));
        written.add(page);
      }
      this.memory.set(name, memory);
      this.#written.set(name, written);
    }

    dump(round: string): void {
      mkdirSync(join(images, round));
      for (const [name, memory] of this.memory) {
        const written = this.#written.get(name);
        const listed = (this.#listed.get(name) ?? []).filter((page) => !written?.has(page));
        const changed = new Map([...memory].filter(([page]) => !listed.includes(page)));
        dump(round, this.levels.at(-1), name, changed, listed);
        this.#listed.set(name, [...memory.keys()]);
      }
      this.#written.clear();
    }

    /** Cut: it ends before anybody notes that it was folded. */
    async fold(round: string, how: "yes" | "cut" | "no"): Promise<void> {
      const rest =
        how === "no" || this.levels.length === 0
          ? round
          : await lists.fold(images, round, this.levels, never);
      if (rest === undefined) throw new Error("that can be folded");
      if (how === "cut") this.levels.push(round);
      else if (rest !== null) this.levels.push(rest);
    }

    /** What a restore of `final` brings. */
    restored(name: string): Memory {
      for (const [index, level] of [...this.levels, "final"].entries()) link(level, this.levels[index - 1]);
      const found = [...readPages(join(images, "final"), name)];
      return new Map(found.map(([page, bytes]) => [page - base / pageSize, bytes.toString("latin1", 0, 8)]));
    }
  }

  const pages = (maxLength: number): fc.Arbitrary<number[]> =>
    fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { maxLength });
  const lives: Life[] = ["goes on", "goes on", "goes on", "ends", "ends, and another has its PID"];
  const change: fc.Arbitrary<Change> = fc.record({
    name: fc.constantFrom("pagemap-1.img", "pagemap-20.img", "pagemap-shmem-3.img"),
    write: pages(12),
    unmap: pages(6),
    life: fc.constantFrom(...lives),
  });
  const series = fc.array(
    fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      fold: fc.constantFrom("yes", "cut", "no"),
    }),
    { minLength: 1, maxLength: 8 },
  );

  test("whatever is written, unmapped, born or ended between rounds: a restore finds what the process had", async () => {
    const property = fc.asyncProperty(series, async (rounds) => {
      for (const name of readdirSync(images)) rmSync(join(images, name), { recursive: true });
      const processes = new Processes();
      for (const [index, { changes, fold }] of rounds.entries()) {
        for (const one of changes) processes.change(one, `${index}`);
        if (index === rounds.length - 1) break;
        processes.dump(`${index + 1}`);
        await processes.fold(`${index + 1}`, fold);
      }
      processes.dump("final");
      for (const [name, memory] of processes.memory) {
        const had = new Map([...memory].sort(([one], [other]) => one - other));
        expect([name, processes.restored(name)]).toEqual([name, had]);
      }
    });
    await fc.assert(property, { numRuns: 300 });
  }, 120_000);

  test("pages that are there come into their place, and the round is not needed any more", async () => {
    dump("1", undefined, "pagemap-1.img", new Map([1, 2, 3, 4].map((page) => [page, "old"])), []);
    dump("2", "1", "pagemap-1.img", new Map([[2, "new"]]), [1, 3, 4]);
    const size = statSync(join(images, "1/pages-1.img")).size;
    expect(await lists.fold(images, "2", ["1"], never)).toBeNull();
    expect(readdirSync(images).sort()).toEqual(["1", "2"]);
    expect(statSync(join(images, "1/pages-1.img")).size).toBe(size);
    const found = readPages(join(images, "1"), "pagemap-1.img");
    expect([...found.values()].map((bytes) => bytes.toString("latin1", 0, 3))).toEqual([
      "old",
      "new",
      "old",
      "old",
    ]);
  });

  test("pages that are nowhere come into a directory of their own, beside what an earlier try left", async () => {
    dump("1", undefined, "pagemap-1.img", new Map([[1, "old"]]), []);
    dump("2", "1", "pagemap-1.img", new Map([1, 9].map((page) => [page, "new"])), []);
    mkdirSync(join(images, "2-rest"));
    writeFileSync(join(images, "2-rest/pagemap-1.img"), "half");
    expect(await lists.fold(images, "2", ["1"], never)).toBe("2-rest");
    expect(readPageList(readFileSync(join(images, "2-rest/pagemap-1.img"))).entries).toEqual([
      at(1, 1, inParent),
      at(9, 1),
    ]);
    expect(statSync(join(images, "2-rest/pages-1.img")).size).toBe(pageSize);
  });

  test("a list of another form, or one that builds on what no level has, is not folded", async () => {
    dump("1", undefined, "pagemap-1.img", new Map([[1, "old"]]), []);
    dump("2", "1", "pagemap-1.img", new Map([[1, "new"]]), []);
    writeFileSync(join(images, "2/pagemap-2.img"), "something else");
    expect(await lists.fold(images, "2", ["1"], never)).toBeUndefined();
    dump("3", "1", "pagemap-1.img", new Map([[1, "new"]]), [5]);
    dump("4", "3", "pagemap-1.img", new Map([[1, "new"]]), []);
    expect(await lists.fold(images, "4", ["1", "3"], never)).toBeUndefined();
  });

  test.each<[string, () => void, RegExp]>([
    [
      "a round's image that is too short",
      () => writeFileSync(join(images, "2/pages-1.img"), "short"),
      /2\/pages-1.img ends before a page/,
    ],
    [
      "a level's",
      () => writeFileSync(join(images, "1/pages-1.img"), "short"),
      /1\/pages-1.img ends before a page/,
    ],
    ["one that is gone", () => rmSync(join(images, "1/pages-1.img")), /1\/pages-1.img: No such file/],
    [
      "one that is a link",
      () => {
        rmSync(join(images, "1/pages-1.img"));
        symlinkSync("/etc/passwd", join(images, "1/pages-1.img"));
      },
      /1\/pages-1.img: Too many levels of symbolic links/,
    ],
  ])("%s is an error", async (_, spoil, message) => {
    dump("1", undefined, "pagemap-1.img", new Map([[1, "old"]]), []);
    dump("2", "1", "pagemap-1.img", new Map([[1, "new"]]), []);
    spoil();
    await expect(lists.fold(images, "2", ["1"], never)).rejects.toThrow(message);
  });

  test("it is given up where nobody wants it any more", async () => {
    await expect(lists.fold(images, "2", ["1"], AbortSignal.abort(new Error("given up")))).rejects.toThrow(
      "given up",
    );
  });

  test("hostile lists do no harm", async () => {
    const list = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.concat([pageList([at(0, 1)]), bytes])),
      fc
        .array(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(7)), { maxLength: 6 })
        .map((runs) => pageList(runs.map(([address, pages, flags]) => ({ address, pages, flags })))),
    );
    const property = fc.property(list, list, (below, above) => {
      for (const [directory, image] of [
        ["1", below],
        ["2", above],
      ] as const) {
        mkdirSync(join(images, directory), { recursive: true });
        writeFileSync(join(images, directory, "pagemap-1.img"), image);
        writeFileSync(join(images, directory, "pages-7.img"), Buffer.alloc(pageSize));
      }
      rmSync(join(images, "rest"), { recursive: true, force: true });
      const { status } = spawnSync(binary("pages"), ["fold", images, "2", "rest", "1"], { encoding: "utf8" });
      expect([0, 2, 71]).toContain(status);
      expect(statSync(join(images, "1/pages-7.img")).size).toBe(pageSize);
    });
    fc.assert(property, { numRuns: 500 });
  }, 60_000);

  test.each([[[]], [["join"]], [["fold", "/tmp", "2", "rest"]], [["other", "/tmp"]]])(
    "%j is a wrong usage",
    (argv) => {
      expect(spawnSync(binary("pages"), argv).status).toBe(64);
    },
  );
});
