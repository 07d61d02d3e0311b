import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { baseName } from "../builder.js";
import { type BuiltImage, buildImage } from "../image.js";
import { hostMirror } from "../mirror.js";
import { type Say } from "../root.js";

/** Where the package lies, in the repository as when it is installed. */
export const packageRoot = join(import.meta.dirname, "../../..");

const redis = `\
ARG BASE=localhost/fastmig
FROM \${BASE}
RUN export DEBIAN_FRONTEND=noninteractive && apt-get update -q && apt-get install -q -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
RUN install --directory --owner redis /data
`;

export const demoImageTag = "localhost/fastmig-demo:latest";

/** The image of our Dockerfile. */
export async function buildFastmigImage(say: Say): Promise<BuiltImage> {
  return buildImage({
    tag: "localhost/fastmig:latest",
    dockerfile: await readFile(join(packageRoot, "Dockerfile"), "utf8"),
    context: {
      container: join(packageRoot, "container"),
      native: join(packageRoot, "native"),
      "build/container/daemon": join(packageRoot, "build/container/daemon"),
      "build/container/node": nodeRuntime(),
    },
    args: { BASE: baseName, DEBIAN_MIRROR: await hostMirror() },
    say,
  });
}

/** The build's, without symbols; the published package has none, and the Node that runs us does as well. */
function nodeRuntime(): string {
  const built = join(packageRoot, "build/container/node");
  return existsSync(built) ? built : process.execPath;
}

/** Debian's Redis on top of it. */
export async function buildDemoImage(say: Say): Promise<BuiltImage> {
  const on = await buildFastmigImage(say);
  return buildImage({ tag: demoImageTag, dockerfile: redis, context: {}, on, say });
}
