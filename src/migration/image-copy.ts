import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exitCodes, FastmigError } from "../errors.js";
import * as podman from "../remote/engine.js";
import { commandFailed, run } from "../remote/run.js";
import type { Node, RemoteProcess } from "../remote/node.js";
import { inspectImage } from "./containers.js";
import { given, type MigrationContext } from "./context.js";

/** `save` at the source into `load` at the destination, through this program. The id is checked at the end. */
export async function copyImage(
  context: MigrationContext,
  id: string,
  moved: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const found = given(await inspectImage(context.source, id), `the image ${id} at the source`);
  const [from, to] = await Promise.all([context.source.node(), context.destination.node()]);
  const [saveArgv, loadArgv] = [podman.imageSave(id, found.format), podman.imageLoad()];
  const [save, load] = await Promise.all([
    from.spawn(saveArgv, { ...(signal && { signal }) }),
    to.spawn(loadArgv, { ...(signal && { signal }) }),
  ]);
  const piped = await pipe(save, load, moved, signal).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  signal?.throwIfAborted();
  await expectSuccess(from, saveArgv, save);
  await expectSuccess(to, loadArgv, load);
  if (piped !== null) throw piped as Error;
  await checkArrival(context, id);
  await nameIt(context, id);
}

function pipe(
  save: RemoteProcess,
  load: RemoteProcess,
  moved: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      moved(bytes);
      done(null, chunk);
    },
  });
  load.stdout.resume();
  return pipeline(save.stdout, counting, load.stdin, { ...(signal && { signal }) });
}

async function expectSuccess(node: Node, argv: readonly string[], process: RemoteProcess): Promise<void> {
  const outcome = await process.outcome;
  if (outcome.kind !== "exited" || outcome.code !== 0) throw commandFailed(node, argv, outcome);
}

async function checkArrival({ destination, service }: MigrationContext, id: string): Promise<void> {
  if ((await inspectImage(destination, id)) !== null) return;
  throw new FastmigError(
    `the image of ${service.name} arrived on ${destination.name} under another id than ${id.slice(0, 12)}`,
    {
      code: "IMAGE_CHANGED",
      exit: exitCodes.rolledBack,
      hint: `bring it there by hand (podman save | podman load) or by a registry, then migrate again`,
    },
  );
}

/** It travels without a name; it gets the plan's where that one is free. */
async function nameIt({ destination, service }: MigrationContext, id: string): Promise<void> {
  if ((await inspectImage(destination, service.image)) !== null) return;
  await run(await destination.node(), podman.imageTag(id, service.image));
}
