import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltImage, buildImage } from "../../../src/lab/index.js";
import { buildDemoImage } from "../../../src/lab/demo/images.js";

const dir = join(import.meta.dirname, "image");
const programs = ["service.py", "pattern.py", "tree.py", "lines.py"];

export const workloadsImage = "localhost/fastmig-workloads:latest";

/** The image of all services of the tests. */
export async function buildWorkloadsImage(say: (line: string) => void): Promise<BuiltImage> {
  const on = await buildDemoImage(say);
  return buildImage({
    tag: workloadsImage,
    dockerfile: await readFile(join(dir, "Dockerfile"), "utf8"),
    context: Object.fromEntries(programs.map((name) => [name, join(dir, name)])),
    on,
    say,
  });
}
