import { readFileSync } from "node:fs";

/** What oclif calls the user agent; loading oclif for it alone would take three times as long. */
function version() {
  const { name, version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`;
}

if (process.argv.slice(2).join() === "--version") {
  console.log(version());
} else {
  // Whatever NODE_ENV a user has set: what runs is what was built.
  globalThis.oclif = { enableAutoTranspile: false };
  const { execute } = await import("@oclif/core/execute");
  await execute({ loadOptions: { root: import.meta.dirname, userPlugins: false, devPlugins: false } });
}
