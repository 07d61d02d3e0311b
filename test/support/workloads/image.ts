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

export const largeImage = "localhost/fastmig-large:latest";
const largePrograms = ["Keeper.java", "postgres.sh"];

/** With Debian's PostgreSQL and Java: 500 MB more, for the tests that need them. */
export async function buildLargeImage(say: (line: string) => void): Promise<BuiltImage> {
  const on = await buildWorkloadsImage(say);
  const at = join(import.meta.dirname, "large");
  return buildImage({
    tag: largeImage,
    dockerfile: await readFile(join(at, "Dockerfile"), "utf8"),
    context: Object.fromEntries(largePrograms.map((name) => [name, join(at, name)])),
    on,
    say,
  });
}
