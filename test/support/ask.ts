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
  const answer = await fetch(`http://${stage.address(node)}:${cast.port}${path}`, {
    method,
    signal: AbortSignal.timeout(timeout),
  });
  return (await answer.json()) as T;
}
