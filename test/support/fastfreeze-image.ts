import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildImage, type LabState, loadImage } from "../../src/lab/index.js";
import { root } from "./fastmig.js";
import { buildWorkloadsImage } from "./workloads/image.js";

/** `fastfreeze:latest` on the lab's nodes, by the Dockerfile of docs/fastfreeze.md. */
export async function buildFastFreezeImage(lab: LabState): Promise<void> {
  const document = await readFile(join(root, "docs/fastfreeze.md"), "utf8");
  const [, dockerfile = ""] = /^```dockerfile\n(.*?)^```/ms.exec(document) ?? [];
  const on = await buildWorkloadsImage(() => undefined);
  const image = await buildImage({ tag: "localhost/fastfreeze:latest", dockerfile, context: {}, on });
  for (const { name } of lab.nodes) await loadImage(lab, name, image);
}
