import { messageOf } from "../../errors.js";
import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import { inspectContainer } from "../containers.js";
import type { MigrationContext } from "../context.js";
import type { Step } from "../step.js";
import { statusOf } from "./connect.js";

/** The daemon in it has nothing left to stop. */
const stopSeconds = 2;

/** The source's container is stopped and kept for a while under another name; its log is saved here. */
export const cleanup: Step<MigrationContext> = {
  name: "cleanup",
  title: "Clean up the source",
  kind: "final",
  run: async (context) => {
    try {
      await cleanUp(context);
    } catch (thrown) {
      context.warnings.push(
        `${context.source.name} is not cleaned up (${messageOf(thrown)}): \`fastmig resume ${context.id}\` tries again`,
      );
    }
  },
};

async function cleanUp(context: MigrationContext): Promise<void> {
  const { source, service, plan, journal } = context;
  const kept = keptName(service.name, context.id);
  const [ours, twice] = await Promise.all([isOurs(context), isRunningToo(context), saveLog(context)]);
  if (!ours || twice) return;
  const node = await source.node();
  await run(node, podman.stop(service.name, stopSeconds));
  if (plan.options.keepSource === 0) {
    await run(node, podman.remove(service.name));
    return;
  }
  const until = new Date(Date.now() + plan.options.keepSource).toISOString();
  await journal?.append({ kind: "kept", node: source.name, container: kept, until });
  await run(node, podman.rename(service.name, kept));
  context.kept = { node: source.name, container: kept, until };
}

/** `counter.kept-01jcxz…`: the name of a source's container that is kept. */
export function keptName(service: string, id: string): string {
  return `${service}.kept-${id.toLowerCase()}`;
}

/** Never to be met, and never to be made worse: a copy that executes is not stopped by a clean-up. */
async function isRunningToo({ source, service, destination, warnings }: MigrationContext): Promise<boolean> {
  const { status } = await statusOf(source);
  if (status?.service.state !== "running") return false;
  warnings.push(
    `${service.name} runs on ${source.name} too (epoch ${status.ownership.epoch}), beside the copy on ${destination.name}: look at both now, and stop the wrong one`,
  );
  return true;
}

/** Done before (by a CLI that died), or another container by now: then it is not touched. */
async function isOurs({ source, service, warnings }: MigrationContext): Promise<boolean> {
  const container = await inspectContainer(source, service.name);
  if (container === null) return false;
  if (container.labels["io.fastmig.service"] === service.name) return true;
  warnings.push(`the container ${service.name} on ${source.name} is not fastmig's and was left as it is`);
  return false;
}

/** Resumed after it was cleaned up there is no container, and the log that was saved then stays. */
async function saveLog({ source, service, journal }: MigrationContext): Promise<void> {
  const outcome = await (await source.node()).exec(podman.logs(service.name));
  if (outcome.kind === "exited" && outcome.code === 0)
    await journal?.write("source.log", `${outcome.stdout}${outcome.stderr}`);
}
