/** The daemon's entry: the only place that reads the environment and hears signals. */
import { chmod, chown, mkdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import openApi from "../../docs/openapi.json" with { type: "json" };
import { Daemon } from "./daemon.js";
import { containerEngine } from "./engine.js";
import { connectInit } from "./init-client.js";
import { log } from "./log.js";
import { openOwnership } from "./ownership.js";
import { daemonSocket, ownershipFile, type DaemonPaths } from "./paths.js";
import { Processes } from "./processes.js";
import { lifeId } from "./procfs.js";
import { controlRoutes, documentRoute, peerRoutes } from "./routes.js";
import { serve } from "./router.js";
import { Service } from "./service.js";
import { version } from "./version.js";

function need(name: string): string {
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

async function listen(daemon: Daemon, paths: DaemonPaths): Promise<void> {
  const socket = daemonSocket(paths);
  await rm(socket, { force: true });
  const routes = [...controlRoutes(daemon), ...peerRoutes(daemon)];
  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 60_000 },
    serve([...routes, documentRoute(openApi)], log),
  );
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  // Whoever owns the directory on the node, the SSH user, may drive the daemon; nobody else.
  const { uid, gid } = await stat(paths.runtime);
  await chown(socket, uid, gid);
  await chmod(socket, 0o600);
}

async function main(): Promise<void> {
  const paths: DaemonPaths = {
    state: need("FASTMIG_STATE"),
    runtime: need("FASTMIG_RUNTIME"),
    images: process.env["FASTMIG_IMAGES"] ?? "/run/fastmig-images",
  };
  const stopTimeout = Number(process.env["FASTMIG_STOP_TIMEOUT"] ?? 8) * 1000 - 1000;
  let daemon: Daemon | undefined;
  const processes = new Processes(({ exited }) =>
    connectInit(Number(need("FASTMIG_INIT_FD")), {
      exited,
      signal: () => void stopAll(),
      lost: (error) => {
        log.error("init is gone", { message: error.message });
        process.exit(1);
      },
    }),
  );
  async function stopAll(): Promise<void> {
    await daemon?.deps.service.stop(stopTimeout);
    await processes.init.shutdown(0);
  }
  await Promise.all([
    makePassable(paths.state),
    makePassable(`${paths.state}/migrations`),
    makePassable(paths.images),
  ]);
  const life = await lifeId();
  const ownership = await openOwnership(ownershipFile(paths));
  const onEnd = (ended: Parameters<Daemon["serviceEnded"]>[0]): void => daemon?.serviceEnded(ended);
  const service = await Service.recall({ processes, stateDir: paths.state, life, onEnd });
  const engine = await containerEngine(processes, paths);
  daemon = new Daemon({ paths, processes, engine, service, ownership, life, version, log }, (self) =>
    serve(peerRoutes(self), log),
  );
  await daemon.takeUp();
  await listen(daemon, paths);
  log.info("ready", {
    service: need("FASTMIG_SERVICE"),
    role: ownership.get().role,
    epoch: ownership.get().epoch,
  });
}

await main();
