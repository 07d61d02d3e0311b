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
  const fed = pipeline(packed, child.stdin);
  fed.catch(() => undefined);
  ended.catch(() => undefined);
  try {
    for await (const part of child.stdout as AsyncIterable<Buffer>) yield part;
    await Promise.all([ended, fed]);
    const code = await ended;
    if (code !== 0) throw imageError("IMAGE_DAMAGED", `lz4 ended with ${code}: ${said.trim()}`);
  } finally {
    child.kill("SIGKILL");
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
