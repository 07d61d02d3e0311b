/** What an image says of itself. It is written last: without it there is no image. */
import { timingSafeEqual } from "node:crypto";
import * as z from "zod/mini";
import { imageError } from "./errors.js";
import { type Keys, KeySource, macOf, openKeys } from "./keys.js";

export const manifestName = "manifest.json";
/** Raised when an older program could not restore what a newer one writes. */
export const imageVersion = 1;
const format = "fastmig-image";

const count = z.int().check(z.minimum(0));
/** A name in the image's own directory. */
const objectName = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/));
const object = { name: objectName, size: count };

export const Packing = z.enum(["plain", "lz4", "zstd"]);
export type Packing = z.infer<typeof Packing>;

const clock = z.string().check(z.regex(/^-?[0-9]{1,19}$/));
const ServiceFacts = z.strictObject({
  name: z.string(),
  command: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  user: z.string(),
  workdir: z.string(),
  instructions: z.optional(z.array(z.string())),
  virtualTime: z.optional(z.boolean()),
});

const Manifest = z.strictObject({
  format: z.literal(format),
  version: z.literal(imageVersion),
  id: z.string(),
  createdAt: z.string(),
  /** The daemon's version. */
  fastmig: z.string(),
  service: ServiceFacts,
  /** The service's epoch when it was frozen. */
  epoch: count,
  /** What a restore needs: whose the tree is, its PIDs, and which of its init's pipes it had as its outputs. */
  tree: z.strictObject({
    rootPid: count,
    highestPid: count,
    uid: count,
    gid: count,
    groups: z.array(count),
    stdoutInode: z.nullable(count),
    stderrInode: z.nullable(count),
    /** What its clocks showed, in ns; null: it went by its host's. */
    clocks: z._default(
      z.nullable(z.strictObject({ monotonic: clock, monotonicRaw: clock, boottime: clock })),
      null,
    ),
  }),
  criu: z.string(),
  kernel: z.string(),
  /** By the kernel's names, with spaces between. */
  processor: z.strictObject({ model: z.string(), features: z.string() }),
  /** Paths of the container that are in the file `preserve.tar`. */
  preserved: z.array(z.string().check(z.regex(/^(\/|(\/(?!\.{1,2}(\/|$))[^/\0]+)+)$/))),
  packing: Packing,
  key: KeySource,
  /** Bytes of all files, and how many there are. */
  bytes: count,
  files: count,
  index: z.strictObject({ ...object, tag: z.string().check(z.regex(/^[0-9a-f]{32}$/)) }),
  shards: z.array(z.strictObject(object)).check(z.minLength(1), z.maxLength(256)),
});
export type Manifest = z.infer<typeof Manifest>;

/** With what vouches for it, as its last key: for the text that a reader gets from it again. */
export function writeManifest(manifest: Manifest, keys: Keys): string {
  const text = JSON.stringify(Manifest.parse(manifest));
  return `${JSON.stringify({ ...JSON.parse(text), mac: macOf(keys, text) }, null, 1)}\n`;
}

const Head = z.object({ format: z.optional(z.string()), version: z.union([z.number(), z.string()]) });
const Sealed = z.extend(Manifest, { mac: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });

/** What a manifest says before anybody has a passphrase. Throws IMAGE_VERSION, IMAGE_DAMAGED. */
export function parseManifest(text: string, where: string): Manifest & { mac: string } {
  const json = parseJson(text, where);
  const head = Head.safeParse(json);
  if (!head.success) throw imageError("IMAGE_DAMAGED", `${where}: the manifest says no version`);
  if (head.data.format !== format || head.data.version !== imageVersion) throw otherVersion(head.data, where);
  const parsed = Sealed.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw imageError(
    "IMAGE_DAMAGED",
    `${where}: the manifest's ${issue?.path.join(".")} is not as it should be`,
  );
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw imageError("IMAGE_DAMAGED", `${where}: the manifest cannot be read`, { cause: thrown });
  }
}

function otherVersion({ format: other, version }: z.infer<typeof Head>, where: string): Error {
  const whose = other === undefined ? "FastFreeze's" : other === format ? "fastmig's" : other;
  return imageError(
    "IMAGE_VERSION",
    `${where} is an image of ${whose} version ${version}, not of ${imageVersion}`,
    {
      hint:
        other === undefined
          ? "fastmig image extract decrypts and unpacks it; only FastFreeze restores it"
          : "restore it with the program that made it",
    },
  );
}

/**
 * The keys of an image whose manifest is what was written. Throws IMAGE_PASSPHRASE, IMAGE_DAMAGED.
 * @param passphrase null: none was given.
 */
export async function unlock(
  { mac, ...manifest }: Manifest & { mac: string },
  passphrase: Buffer | null,
  where: string,
): Promise<Keys> {
  const keys = await openKeys(manifest.key, passphrase);
  if (keys === null)
    throw imageError(
      "IMAGE_PASSPHRASE",
      passphrase === null ? `${where} is encrypted` : `${where} was encrypted with another passphrase`,
      { hint: "name the file that has it: --passphrase-file FILE" },
    );
  const is = Buffer.from(macOf(keys, JSON.stringify(manifest)), "hex");
  if (timingSafeEqual(is, Buffer.from(mac, "hex"))) return keys;
  throw imageError("IMAGE_DAMAGED", `${where}: the manifest is not what was written`);
}
