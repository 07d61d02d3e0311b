/** LZ4 by the program of that name: Node has none of its own. */
import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { imageError } from "./errors.js";

/** What LZ4 frames, one after the other, hold. */
export async function* unpackLz4(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const child = spawn("lz4", ["-dc"], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (thrown: NodeJS.ErrnoException) => reject(missing(thrown)));
    child.on("close", resolve);
  });
  let broken: { why: unknown } | undefined;
  // Where the program ends early, writing to it fails too: only what its source throws is news.
  const source = noting(packed, (why) => (broken = { why }));
  pipeline(source, child.stdin).catch(() => undefined);
  ended.catch(() => undefined);
  try {
    for await (const part of child.stdout as AsyncIterable<Buffer>) yield part;
    const code = await ended;
    if (broken !== undefined) throw broken.why;
    if (code !== 0) throw imageError("IMAGE_DAMAGED", `lz4 ended with ${code}: ${said.trim()}`);
  } finally {
    child.kill("SIGKILL");
  }
}

async function* noting<T>(from: AsyncIterable<T>, broken: (why: unknown) => void): AsyncGenerator<T> {
  try {
    yield* from;
  } catch (thrown) {
    broken(thrown);
    throw thrown;
  }
}

function missing(thrown: NodeJS.ErrnoException): Error {
  if (thrown.code !== "ENOENT") return thrown;
  return imageError(
    "IMAGE_UNFIT",
    "the image is packed with lz4, and this machine has no program of that name",
    {
      hint: "install it: apt install lz4",
    },
  );
}
