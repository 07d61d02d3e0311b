import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "./builder.js";
import { cached } from "./cache.js";
import { contextDigest, layOut, type Context } from "./context.js";
import { cacheDir } from "./paths.js";
import { ensureBase, ensureRoot, type Say } from "./root.js";
import { attempt, run } from "./run.js";
import { sshArgv } from "./ssh.js";
import type { LabState } from "./state.js";
import { copyImage } from "./vm/load.js";

export interface ImageRequest {
  /** `localhost/fastmig:dev`. */
  tag: string;
  /** The Dockerfile's text. The base image is `localhost/debian:trixie-slim`. */
  dockerfile: string;
  context: Context;
  /** An image of ours that it stands on: the build argument `BASE` is its ID. */
  on?: BuiltImage;
  /** More build arguments. */
  args?: Readonly<Record<string, string>>;
  say?: Say;
}

export interface BuiltImage {
  tag: string;
  /** The image ID, 64 hex digits, the same on every node that loads it. */
  id: string;
  /** A docker-archive. */
  archive: string;
}

/** How many archives of a tag stay: somebody may be loading the one before. */
const kept = 3;

/** Builds an image with Podman, or takes it from the cache where Dockerfile, context and arguments are the same. */
export async function buildImage(request: ImageRequest): Promise<BuiltImage> {
  const say = request.say ?? (() => undefined);
  const [root, base] = [await ensureRoot(say), await ensureBase(say)];
  const { tag, dockerfile, context, on } = request;
  const args = { ...(on === undefined ? {} : { BASE: on.id }), ...request.args };
  const digest = await contextDigest(context, [dockerfile, args, tag, base]);
  const kind = `image-${tag.replaceAll(/[^A-Za-z0-9.]+/g, "-")}-`;
  const dir = await cached(`${kind}${digest}`, async (exchange) => {
    say(`building ${tag}`);
    await mkdir(join(exchange, "context"), { recursive: true });
    await writeFile(join(exchange, "Dockerfile"), dockerfile);
    await layOut(context, join(exchange, "context"));
    await build({ root, base, on, tag, args, exchange });
    await rm(join(exchange, "context"), { recursive: true });
  });
  await forgetOld(kind);
  return { tag, id: (await readFile(join(dir, "id"), "utf8")).trim(), archive: join(dir, "image.tar") };
}

async function forgetOld(kind: string): Promise<void> {
  const names = (await readdir(cacheDir())).filter((name) => name.startsWith(kind));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(cacheDir(), name))).mtimeMs })),
  );
  const old = dated.sort((one, other) => other.at - one.at).slice(kept);
  for (const { name } of old) await rm(join(cacheDir(), name), { recursive: true, force: true });
}

/** Brings an image to a node, unless the node has it, and names it. */
export async function loadImage(state: LabState, node: string, image: BuiltImage): Promise<void> {
  const has = await attempt(sshArgv(state, node, ["podman", "image", "exists", image.id]));
  if (!has.ok && !(await copied(state, node, image)))
    await run(sshArgv(state, node, ["podman", "load", "-q"]), { inputFile: image.archive });
  await run(sshArgv(state, node, ["podman", "tag", image.id, image.tag]));
}

/** Machines have a quicker way, where the builder still holds the image. */
const copied = async (state: LabState, node: string, { id }: BuiltImage): Promise<boolean> =>
  state.launcher === "vm" && (await copyImage(state, node, id));
