// Runs on any Node that knows ES modules: nothing newer may be written or imported here.
import module from "node:module";
import os from "node:os";
import path from "node:path";

/** Prepares the process; false, and said, where this Node is too old. */
export function ready() {
  if (Number.parseInt(process.versions.node, 10) < 24) {
    console.error(`Error: fastmig needs Node 24 or later; this is ${process.version} (${process.execPath})`);
    process.exitCode = 1;
    return false;
  }
  // `| head` closes the pipe early: what it did not want is dropped, the command itself goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", dropBrokenPipe);
  process.env.HOME = process.env.HOME || home();
  module.enableCompileCache(path.join(cacheHome(), "fastmig", "compile"));
  return true;
}

function dropBrokenPipe(error) {
  if (error.code !== "EPIPE") throw error;
}

// cron may leave HOME out, and a container's user may be unknown to /etc/passwd.
function home() {
  try {
    return os.homedir();
  } catch {
    return os.tmpdir();
  }
}

// Never Node's own default below /tmp: whoever makes that directory first decides what we execute.
function cacheHome() {
  return process.env.XDG_CACHE_HOME || path.join(process.env.HOME, ".cache");
}
