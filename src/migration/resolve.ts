import { exitCodes, FastmigError } from "../errors.js";
import type { MigrationView, Role, ServiceState } from "../daemon/api.js";
import { waitFor } from "../wait.js";
import type { MigrationContext } from "./context.js";
import { see } from "./see.js";
import { statusOf } from "./steps/connect.js";

/** What the kept side says then, and whether something of the service lives there; null: it does not say. */
export interface Kept {
  migration: MigrationView;
  service: ServiceState["state"] | null;
}

/** States in which the kept side has, or will get by itself, what it keeps; `discarded`: nothing of it was left there. */
const kept: Record<Role, readonly string[]> = {
  source: ["aborted", "reclaimed", "confirmed"],
  destination: ["running", "confirmed", "discarded"],
};
const settleMs = 60_000;

/** The operator's word about the side that cannot be asked. `fenced` has to be that other side's name. */
export async function resolve(context: MigrationContext, keep: Role, fenced: string): Promise<Kept> {
  const { id, source, destination } = context;
  const [site, other] = keep === "source" ? [source, destination] : [destination, source];
  if (fenced !== other.name) throw wrongFence(keep, site.name, other.name, fenced);
  await (await site.daemon()).resolve(id, { keep, fenced });
  const view = await waitFor(
    `${site.name} to have ${site.service}`,
    async () => settled(await see(site, id), keep),
    { timeout: settleMs },
  );
  // The other side is locked, and may hold a copy: `resume` clears it up once it answers.
  await context.journal?.append({ kind: "closed", outcome: "unfinished" });
  const { status } = await statusOf(site);
  return { migration: view, service: status?.service.state ?? null };
}

function settled(seen: MigrationView | string, keep: Role): MigrationView | undefined {
  if (typeof seen === "string") return undefined;
  return kept[keep].includes(seen.state) ? seen : undefined;
}

function wrongFence(keep: Role, keeps: string, other: string, fenced: string): FastmigError {
  return new FastmigError(
    `to keep the ${keep} (${keeps}) it is ${other} that has to be fenced, not ${fenced}`,
    {
      code: "WRONG_FENCE",
      exit: exitCodes.usage,
      hint: `make sure that ${other} is off or that its container cannot run, then say --i-have-fenced ${other}`,
    },
  );
}
