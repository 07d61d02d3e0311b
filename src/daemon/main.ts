/** The daemon's entry: the only place that reads the environment and hears signals. */
import "./no-jit.js";
import { chmod, chown, mkdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import openApi from "../../docs/openapi.json" with { type: "json" };
import { Daemon } from "./daemon.js";
import { containerEngine } from "./engine.js";
import { connectInit } from "./init-client.js";
import { log } from "./log.js";
import { openOwnership } from "./ownership.js";
import { daemonSocket, ownershipFile, type DaemonPaths } from "./paths.js";
import { nativePageLists } from "./page-lists.js";
import { Processes } from "./processes.js";
import { lifeId } from "./procfs.js";
import { answersOf, serve } from "./router.js";
import { controlRoutes, documentRoute, peerRoutes } from "./routes/index.js";
import { Service } from "./service.js";
import { version } from "./version.js";

function need(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: the container was not made by fastmig`);
  return value;
}

const paths: DaemonPaths = {
  state: need("FASTMIG_STATE"),
  runtime: need("FASTMIG_RUNTIME"),
  images: process.env["FASTMIG_IMAGES"] ?? "/run/fastmig-images",
};

/** Milliseconds; a second before init loses its patience. */
const stopTimeout = Number(process.env["FASTMIG_STOP_TIMEOUT"] ?? 8) * 1000 - 1000;

/** Others may pass through to what they own below, as the hook does as the service's user; nobody may list it. */
async function makePassable(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o711);
}

function connect(stop: () => void): Processes {
  return new Processes((handlers) =>
    connectInit(Number(need("FASTMIG_INIT_FD")), {
      ...handlers,
      signal: stop,
      lost: (error) => {
        log.error("init is gone", { message: error.message });
        process.exit(1);
      },
    }),
  );
}

/** Milliseconds in which whoever asked may still be answered. */
const lastWords = 1000;

/** Something broke half way: the next daemon, which init starts, takes up what the journal says. */
function giveUp(): void {
  setTimeout(() => process.exit(1), lastWords);
}

async function makeDaemon(processes: Processes): Promise<Daemon> {
  const life = await lifeId();
  const ownership = await openOwnership(ownershipFile(paths));
  const service = await Service.recall({ processes, stateDir: paths.state, life });
  const engine = await containerEngine(processes, paths);
  const pageLists = nativePageLists();
  const deps = { paths, processes, engine, pageLists, service, ownership, life, version, log, giveUp };
  return new Daemon(deps, (daemon) => answersOf(peerRoutes(daemon), log));
}

async function listen(daemon: Daemon): Promise<void> {
  const socket = daemonSocket(paths);
  await rm(socket, { force: true });
  const routes = [...controlRoutes(daemon), ...peerRoutes(daemon), documentRoute(openApi)];
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, serve(routes, log));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  // Whoever owns the directory on the node, the SSH user, may drive the daemon; nobody else.
  const { uid, gid } = await stat(paths.runtime);
  await chown(socket, uid, gid);
  await chmod(socket, 0o600);
}

async function main(): Promise<void> {
  const starting = Promise.withResolvers<Daemon>();
  const processes = connect(() => void starting.promise.then((daemon) => daemon.shutDown(stopTimeout)));
  const below = ["migrations", "images"].map((name) => join(paths.state, name));
  await Promise.all([paths.state, paths.images, ...below].map(makePassable));
  const daemon = await makeDaemon(processes);
  starting.resolve(daemon);
  await daemon.takeUp();
  await listen(daemon);
  const { role, epoch } = daemon.deps.ownership.get();
  log.info("ready", { service: need("FASTMIG_SERVICE"), role, epoch });
}

await main();
