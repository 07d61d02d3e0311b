/** CRIU's lists of pages (pagemap-*.img) as tests write and read them. */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join, normalize } from "node:path";
import { fields } from "../../src/protobuf.js";

export const pageSize = 4096;
export const present = 4;
export const inParent = 1;

export interface Entry {
  address: number;
  pages: number;
  flags: number;
  /** As CRIU wrote it before 4.2: the pages counted in field 2 alone. */
  old?: boolean;
}

export function message(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** A message of varints alone. */
export function varints(values: readonly [number: number, value: number][]): Buffer {
  const bytes: number[] = [];
  for (let rest of values.flatMap(([number, value]) => [number * 8, value])) {
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

export function pageList(entries: readonly Entry[], pagesId = 7): Buffer {
  const magic = Buffer.alloc(8);
  magic.writeUInt32LE(0x54564319, 0);
  magic.writeUInt32LE(0x56084025, 4);
  const bodies = entries.map(({ address, pages, flags, old = false }) =>
    varints([
      [1, address],
      [2, old ? pages : 0],
      [4, flags],
      ...(old ? [] : ([[5, pages]] as [number, number][])),
    ]),
  );
  return Buffer.concat([magic, message(varints([[1, pagesId]])), ...bodies.map(message)]);
}

/** Read back by hand, from the bytes: the head's number first. */
export function readPageList(image: Buffer): { pagesId: number; entries: Entry[] } {
  const messages: Map<number, number>[] = [];
  for (let at = 8; at < image.length;) {
    const length = image.readUInt32LE(at);
    const found = fields(image.subarray(at + 4, at + 4 + length)) ?? [];
    messages.push(new Map(found.map(({ number, value }) => [number, Number(value)])));
    at += 4 + length;
  }
  const [head, ...runs] = messages;
  const entries = runs.map((of) => {
    const old = !of.has(5);
    const [address = NaN, pages = NaN, flags = NaN] = [of.get(1), of.get(old ? 2 : 5), of.get(4)];
    return { address, pages, flags, ...(old && { old }) };
  });
  return { pagesId: head?.get(1) ?? NaN, entries };
}

/** Every page in the list's order: that of the pages image. */
export function pagesOf({
  entries,
}: Pick<ReturnType<typeof readPageList>, "entries">): { page: number; flags: number }[] {
  return entries.flatMap(({ address, pages, flags }) =>
    Array.from({ length: pages }, (_, at) => ({ page: address / pageSize + at, flags })),
  );
}

/**
 * The content of each page of a list, as CRIU reads it: what a directory does not have is its parent's, where the link
 * `parent` leads to. Throws where a page is nowhere.
 */
export function readPages(directory: string, name: string): Map<number, Buffer> {
  const list = join(directory, name);
  if (!existsSync(list)) throw new Error(`${directory} has no ${name}`);
  const read = readPageList(readFileSync(list));
  const image = readFileSync(join(directory, `pages-${read.pagesId}.img`));
  const link = join(directory, "parent");
  const parent = pagesOf(read).some(({ flags }) => flags === inParent)
    ? readPages(normalize(join(directory, readlinkSync(link))), name)
    : new Map<number, Buffer>();
  let own = 0;
  return new Map(
    pagesOf(read).map(({ page, flags }) => {
      const bytes = flags === inParent ? parent.get(page) : image.subarray(own * pageSize, ++own * pageSize);
      if (bytes?.length !== pageSize) throw new Error(`page ${page} of ${list} is nowhere`);
      return [page, bytes];
    }),
  );
}
