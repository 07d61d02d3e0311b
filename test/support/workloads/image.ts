import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltImage, buildImage } from "../../../src/lab/index.js";
import { buildDemoImage } from "../../../src/lab/demo/images.js";
import { buildNative } from "./native.js";
import { buildTorture } from "./torture.js";

const dir = join(import.meta.dirname, "image");
const programs = [
  "service.py",
  "pattern.py",
  "tree.py",
  "lines.py",
  "seed.py",
  "torture.py",
  "chosen.py",
  "text.py",
];

export const workloadsImage = "localhost/fastmig-workloads:latest";

/** The image of all services of the tests. */
export async function buildWorkloadsImage(say: (line: string) => void): Promise<BuiltImage> {
  const on = await buildDemoImage(say);
  const files = programs.map((name) => [name, join(dir, name)]);
  const keepers = buildNative("clocks");
  return buildImage({
    tag: workloadsImage,
    dockerfile: await readFile(join(dir, "Dockerfile"), "utf8"),
    context: {
      ...Object.fromEntries(files),
      torture: buildTorture(),
      keeper: keepers("keeper"),
      "go-keeper": keepers("go-keeper"),
      "keeper.py": join(import.meta.dirname, "clocks/keeper.py"),
    },
    on,
    say,
  });
}

export const javaImage = "localhost/fastmig-java:latest";

/** With Debian's Java: 300 MB more, for the tests that need it. */
export async function buildJavaImage(say: (line: string) => void): Promise<BuiltImage> {
  const on = await buildWorkloadsImage(say);
  const at = join(import.meta.dirname, "java");
  return buildImage({
    tag: javaImage,
    dockerfile: await readFile(join(at, "Dockerfile"), "utf8"),
    context: { "Keeper.java": join(at, "Keeper.java") },
    on,
    say,
  });
}
