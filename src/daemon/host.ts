/** A daemon below init, on its socket. */
import "./no-jit.js";
import { chmod, chown, mkdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import openApi from "../../docs/openapi.json" with { type: "json" };
import { Daemon } from "./daemon.js";
import { containerEngine } from "./engine.js";
import { connectInit } from "./init-client.js";
import type { Log } from "./log.js";
import { openOwnership } from "./ownership.js";
import { nativePageLists } from "./page-lists.js";
import { daemonSocket, ownershipFile, type DaemonPaths } from "./paths.js";
import type { Policy } from "./policy.js";
import { Processes } from "./processes.js";
import { lifeId } from "./procfs.js";
import { answersOf, serve } from "./router.js";
import { controlRoutes, documentRoute, peerRoutes } from "./routes/index.js";
import { Service } from "./service.js";
import { version } from "./version.js";

export interface HostSettings {
  paths: DaemonPaths;
  policy: Policy;
  log: Log;
}

/** What init passes on. Throws where there is none. */
export function need(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: the container was not made by fastmig`);
  return value;
}

/** Others may pass through to what they own below, as the hook does as the service's user; nobody may list it. */
async function makePassable(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o711);
}

/** @param signalled init got it, from whoever stops the container. */
export function connectToInit(log: Log, signalled: (signal: number) => void): Processes {
  return new Processes((handlers) =>
    connectInit(Number(need("FASTMIG_INIT_FD")), {
      ...handlers,
      signal: signalled,
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

export async function makeDaemon(
  processes: Processes,
  { paths, policy, log }: HostSettings,
): Promise<Daemon> {
  const below = ["migrations", "images"].map((name) => join(paths.state, name));
  await Promise.all([paths.state, paths.images, ...below].map(makePassable));
  const life = await lifeId();
  const ownership = await openOwnership(ownershipFile(paths));
  const { rootAdopts } = policy;
  const service = await Service.recall({ processes, paths, life, rootAdopts });
  const engine = await containerEngine(processes, paths);
  const pageLists = nativePageLists();
  const deps = {
    paths,
    processes,
    engine,
    pageLists,
    service,
    ownership,
    life,
    version,
    policy,
    log,
    giveUp,
  };
  return new Daemon(deps, (daemon) => answersOf(peerRoutes(daemon), log));
}

async function listen(daemon: Daemon): Promise<void> {
  const { paths, log } = daemon.deps;
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

/** Resolves when it has taken up what an earlier one left, and answers on its socket. */
export async function open(daemon: Daemon): Promise<void> {
  await daemon.takeUp();
  await listen(daemon);
}
