import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import path from "node:path";
import { build as esbuild } from "esbuild";
import { isFresh } from "./freshness.js";

const root = path.dirname(import.meta.dirname);
/** The container's programs. */
const programs = {
  daemon: "src/daemon/main.ts",
  fastfreeze: "src/container/fastfreeze/main.ts",
  ff_daemon: "src/container/ff-daemon/main.ts",
};
const nodeBinary = "node_modules/node/bin/node";
const toolchain = ["package-lock.json", "tsconfig.json", "scripts/build.js"];
const common = { platform: "node", target: "node24", format: "esm", logLevel: "warning" };

/** What is built, in order. Types are checked by `npm run types`, not here. */
const steps = [
  { output: "dist", inputs: ["src/**/*.ts", "src", "src/**/", ...toolchain], make: compile },
  { output: "oclif.manifest.json", inputs: ["dist", "package.json"], make: manifest },
  {
    output: "build/container/daemon",
    inputs: [
      "src/{daemon,container,criu,image}/**/*.ts",
      "src/*.ts",
      "docs/{ff-daemon.,}openapi.json",
      "package.json",
      ...toolchain,
    ],
    make: bundlePrograms,
    when: () => existsSync(programs.daemon),
  },
  {
    output: "build/native/init",
    inputs: ["native/**/*"],
    make: () => execFileSync("make", ["--silent", "-C", "native"]),
  },
  { output: "build/container/node", inputs: [nodeBinary], make: nodeRuntime },
];

/** Builds what is out of date, below the project's root. */
export async function build() {
  process.chdir(root);
  mkdirSync("build/container", { recursive: true });
  for (const { output, inputs, make, when } of steps) {
    if (when?.() === false || isFresh(output, inputs)) continue;
    console.error(`build: ${output}`);
    await make(output);
    const now = new Date();
    utimesSync(output, now, now);
  }
}

/** From nothing, so that what was deleted in src does not live on as a command. */
async function compile(outdir) {
  const partial = `${outdir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await esbuild({ ...common, entryPoints: globSync("src/**/*.ts"), outbase: "src", outdir: partial });
  rmSync(outdir, { recursive: true, force: true });
  renameSync(partial, outdir);
}

function manifest() {
  run("node_modules/oclif/bin/run.js", "manifest", ".");
}

/** The SDKs are CommonJS in part, and ask for Node's own modules by `require`. */
const requireForSdks =
  'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

/**
 * Node's modules have parts that are loaded where they are asked for, as http's WebSocket, and `import` asks for all of them:
 * 6 MB for http, 1 MB for crypto. `require` does not.
 */
const requireOfLargeModules = {
  name: "require of large modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(http|crypto)$/ }, ({ kind, path: name }) =>
      kind === "require-call" ? { external: true } : { path: name, namespace: "required" },
    );
    onLoad({ filter: /./, namespace: "required" }, ({ path: name }) => ({
      contents: `module.exports = require(${JSON.stringify(name)});`,
    }));
  },
};

/** In pieces: those of the stores' SDKs, larger than all the rest, are loaded where an image lies there. */
async function bundlePrograms(outdir) {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const define = { FASTMIG_VERSION: JSON.stringify(version) };
  const partial = `${outdir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await esbuild({
    ...common,
    entryPoints: programs,
    outdir: partial,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // What nobody calls is left out of a module, not out of CommonJS.
    mainFields: ["module", "main"],
    splitting: true,
    plugins: [requireOfLargeModules],
    banner: { js: requireForSdks },
    legalComments: "none",
    // A program's text stays in its memory. Names stay too: a stack in the log is read.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    define,
  });
  rmSync(outdir, { recursive: true, force: true });
  renameSync(partial, outdir);
}

/** The Node of the image: the one we test with, without its symbols (120 MB → 100 MB). */
function nodeRuntime(output) {
  const partial = `${output}.partial`;
  copyFileSync(nodeBinary, partial);
  chmodSync(partial, 0o755);
  execFileSync("strip", ["--strip-unneeded", partial]);
  renameSync(partial, output);
}

function run(script, ...args) {
  execFileSync(process.execPath, [script, ...args], { stdio: ["ignore", 2, 2] });
}

if (import.meta.filename === process.argv[1]) {
  await build().catch((error) => {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  });
}
