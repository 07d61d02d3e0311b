import { request } from "undici";
import { type Cast } from "./services.js";
import { type NodeName, type Stage } from "./stage.js";

/** Asks an HTTP service of the stage; POST where the path is written `POST /path`. `timeout` is milliseconds. */
export async function ask<T>(
  stage: Stage,
  cast: Cast,
  node: NodeName,
  what: string,
  timeout = 10_000,
): Promise<T> {
  const [path = "", method = "GET"] = what.split(" ").reverse();
  const { body } = await request(`http://${stage.address(node)}:${cast.port}${path}`, {
    method: method as "GET" | "POST",
    signal: AbortSignal.timeout(timeout),
    // A connection that was kept would be one to the process before its move: broken, and nobody told us.
    reset: true,
  });
  return (await body.json()) as T;
}
