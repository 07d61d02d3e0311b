import { exitCodes, FastmigError, messageOf } from "../errors.js";
import { healthAt } from "./health-at.js";
import type { Health, HealthProbe } from "../plan/plan.js";
import * as podman from "../remote/engine.js";
import type { Node, Outcome } from "../remote/node.js";
import { waitFor } from "../wait.js";
import type { Site } from "./site.js";

/** A GET without any tool but bash, from the node itself: the operator's machine need not reach the service. */
const get = `exec 3<>"/dev/tcp/$0/$1" && printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' "$2" "$3" >&3 && IFS= read -r -t 5 line <&3 && printf '%s\\n' "$line"`;

/** Tries until the probe succeeds; the last answer stands in the error. Throws UNHEALTHY (exit 6: it has executed, nothing is rolled back). */
export async function awaitHealth(site: Site, health: Health, next: readonly string[]): Promise<void> {
  const node = await site.node();
  const probe = healthAt(health, node.address);
  try {
    await waitFor(`the health of ${site.service}`, () => tryOnce(site, node, probe), {
      timeout: health.timeout,
      interval: health.interval,
    });
  } catch (thrown) {
    throw new FastmigError(`${site.service} runs on ${site.name} and is not healthy: ${messageOf(thrown)}`, {
      code: "UNHEALTHY",
      exit: exitCodes.inDoubt,
      hint: next,
      cause: thrown,
    });
  }
}

export function isUnhealthy(thrown: unknown): boolean {
  return thrown instanceof FastmigError && thrown.code === "UNHEALTHY";
}

async function tryOnce(site: Site, node: Node, probe: HealthProbe): Promise<true> {
  switch (probe.kind) {
    case "exec":
      return succeed(await node.exec(podman.exec(site.service, probe.command)));
    case "tcp":
      return succeed(
        await node.exec([
          "timeout",
          "5",
          "bash",
          "-c",
          'exec 3<>"/dev/tcp/$0/$1"',
          probe.host,
          String(probe.port),
        ]),
      );
    case "http":
      return tryHttp(node, new URL(probe.url));
  }
}

async function tryHttp(node: Node, url: URL): Promise<true> {
  if (url.protocol === "https:")
    return succeed(await node.exec(["curl", "-fsS", "-o", "/dev/null", "--max-time", "5", url.href]));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const outcome = await node.exec([
    "timeout",
    "5",
    "bash",
    "-c",
    get,
    host,
    url.port || "80",
    `${url.pathname}${url.search}`,
    url.host,
  ]);
  succeed(outcome);
  if (/^HTTP\/1\.[01] 2\d\d/.test(outcome.stdout)) return true;
  throw new Error(`${url.href} answered ${outcome.stdout.trim() || "nothing"}`);
}

function succeed(outcome: Outcome): true {
  if (outcome.kind === "exited" && outcome.code === 0) return true;
  const said = `${outcome.stderr}${outcome.stdout}`.trim().split("\n").at(-1) ?? "";
  throw new Error(
    said === ""
      ? `the probe failed (${outcome.kind === "exited" ? `code ${outcome.code}` : outcome.kind})`
      : said,
  );
}
