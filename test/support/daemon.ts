import { type Status } from "../../src/daemon/api.js";
import { waitFor } from "../../src/wait.js";
import { type Cast } from "./services.js";
import { type NodeName, type Stage } from "./stage.js";

/** Asks a service's daemon on a node, past SSH and the CLI. */
export async function askDaemon<T>(
  stage: Stage,
  node: NodeName,
  service: string,
  path: string,
  body?: object,
): Promise<T> {
  const socket = ["--unix-socket", `/run/fastmig/${service}/daemon.sock`];
  const post = body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
  return JSON.parse(
    await stage.on(node, "curl", "-sS", "--max-time", "60", ...socket, ...post, `http://daemon${path}`),
  ) as T;
}

export function statusOf(stage: Stage, node: NodeName, { name }: Pick<Cast, "name">): Promise<Status> {
  return askDaemon<Status>(stage, node, name, "/status");
}

/** Waits until a daemon's status is as wanted. */
export function waitForStatus(
  stage: Stage,
  node: NodeName,
  cast: Pick<Cast, "name">,
  what: string,
  wanted: (status: Status) => boolean,
): Promise<Status> {
  const look = async (): Promise<Status | undefined> => {
    const status = await statusOf(stage, node, cast);
    return wanted(status) ? status : undefined;
  };
  return waitFor(`${cast.name} on ${node}: ${what}`, look, { timeout: 60_000, interval: 20 });
}

/** Waits until the service is frozen and its memory is on the way; says which migration it is. */
export async function inTheTransfer(stage: Stage, cast: Cast, source: NodeName): Promise<string> {
  const underWay = ({ service, migration }: Status): boolean =>
    service.state === "held" && (migration?.transfer.bytes ?? 0) > 2_000_000;
  const { open } = await waitForStatus(stage, source, cast, "in the transfer", underWay);
  if (open === null) throw new Error("held, but no migration is open");
  return open.id;
}

/** Kills a service's daemon, not its container, and waits until init has started another. */
export async function killDaemon(stage: Stage, node: NodeName, cast: Pick<Cast, "name">): Promise<Status> {
  const { pid } = await statusOf(stage, node, cast);
  await stage.on(node, "podman", "exec", "--user", "0", cast.name, "sh", "-c", `kill -KILL ${pid}`);
  return waitForStatus(stage, node, cast, "another daemon", (status) => status.pid !== pid);
}
