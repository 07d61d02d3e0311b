import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../../wait.js";
import { withLock } from "../lock.js";
import { inNetwork } from "../namespaces.js";
import { cacheDir } from "../paths.js";
import { run } from "../run.js";
import { labNode, type LabNode, type VmState } from "../state.js";
import { inMachine } from "./exec.js";
import { backGuest } from "./network.js";
import { receiver, receiverPort } from "./receive.js";
import { findImage, storePaths, type StoredImage } from "./store.js";

/** Milliseconds for a few hundred megabytes. */
const patience = 5 * 60_000;

/**
 * Brings an image from the builder's store into a machine's, unpacked, past SSH and `podman load`: emulated,
 * their ciphers and digests take more than a minute. False where the builder no longer has the image.
 */
export async function copyImage(state: VmState, name: string, id: string): Promise<boolean> {
  const store = join(cacheDir(), "builder/containers/storage");
  const found = await builtImage(store, id);
  if (found === undefined) return false;
  const node = labNode(state, name);
  await withLock(`${node.dir}/images`, patience, async () => {
    const has = await inMachine(state, node, ["ls", "/var/lib/containers/storage/overlay"], {});
    const paths = storePaths(found, await linksOf(store, found), has.split("\n"));
    const receive = ["python3", "-c", receiver, backGuest(node)];
    const input = JSON.stringify({ ...found, image: { ...found.image, names: [] } });
    const failed = new AbortController();
    const receiving = inMachine(state, node, receive, { input, timeout: patience });
    receiving.catch((thrown: unknown) => failed.abort(thrown));
    await waitFor(`node ${name} to take an image`, () => send(state, node, store, paths), {
      timeout: patience,
      signal: failed.signal,
    });
    await receiving;
  });
  return true;
}

async function builtImage(store: string, id: string): Promise<StoredImage | undefined> {
  const read = (kind: string): Promise<string> =>
    readFile(join(store, `overlay-${kind}`, `${kind}.json`), "utf8").catch(() => "[]");
  return findImage(await read("images"), await read("layers"), id);
}

function linksOf(store: string, { layers }: StoredImage): Promise<string[]> {
  return Promise.all(layers.map((each) => readFile(join(store, "overlay", each.id, "link"), "utf8")));
}

/** Bash is the one tool of every machine that can send a stream over TCP. */
async function send(state: VmState, node: LabNode, store: string, paths: readonly string[]): Promise<true> {
  const script = 'exec 3<>"/dev/tcp/$1/$2"; shift 2; exec tar --xattrs --xattrs-include=* -c -C "$@" >&3';
  const argv = ["bash", "-c", script, "send", backGuest(node), receiverPort, store, ...paths];
  await run(inNetwork(state, node.name, argv));
  return true;
}
