/** The daemon of a service of a plan. */
import type { Daemon } from "./daemon.js";
import { connectToInit, makeDaemon, need, open } from "./host.js";
import { stopSignals } from "./init-client.js";
import { log } from "./log.js";
import { servicePolicy } from "./policy.js";

/** Milliseconds; a second before init loses its patience. */
const stopTimeout = Number(process.env["FASTMIG_STOP_TIMEOUT"] ?? 8) * 1000 - 1000;

const starting = Promise.withResolvers<Daemon>();
const processes = connectToInit(log, (signal) => {
  if (stopSignals.includes(signal)) void starting.promise.then((daemon) => daemon.shutDown(stopTimeout));
});
const paths = {
  state: need("FASTMIG_STATE"),
  runtime: need("FASTMIG_RUNTIME"),
  images: process.env["FASTMIG_IMAGES"] ?? "/run/fastmig-images",
};
const daemon = await makeDaemon(processes, { paths, policy: servicePolicy, log });
starting.resolve(daemon);
await open(daemon);
const { role, epoch } = daemon.deps.ownership.get();
log.info("ready", { service: need("FASTMIG_SERVICE"), role, epoch });
