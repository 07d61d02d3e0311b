/** Where FastFreeze's command line keeps things in its container. */
import { join } from "node:path";
import type { DaemonPaths } from "../daemon/paths.js";

/** Everybody may write here: whoever the application runs as has a directory of his own below. */
export const home = "/var/tmp/fastfreeze";
export const logDirectory = join(home, "logs");
const run = join(home, "run");

export const paths: DaemonPaths = { state: run, runtime: run, images: join(run, "images") };
export const configFile = join(run, "app-config.json");
