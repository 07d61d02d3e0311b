import { hostname, userInfo } from "node:os";
import type { OpenMigration, Role, Status } from "../../daemon/api.js";
import { exitCodes, FastmigError } from "../../errors.js";
import { type FirstLook, given, type MigrationContext } from "../context.js";
import { prepareDirectories } from "../directories.js";
import { Journal } from "../journal.js";
import { isLocked } from "../../remote/daemon-client.js";
import { holder } from "../preflight/ownership.js";
import { stillRuns } from "../reopen.js";
import { refuseRootless } from "../preflight/rootless.js";
import type { Site } from "../site.js";
import { createState, openMigrationOf } from "../state-files.js";
import type { Step } from "../step.js";
import { closeDestination, closeSource } from "./close.js";
import { refuseByPreflight } from "./preflight.js";

/** Opens the migration in three journals; the two on the nodes are the lock. */
export const open: Step<MigrationContext> = {
  name: "open",
  title: "Open the migration",
  kind: "reversible",
  run: async (context) => {
    const look = given(context.look, "the first look");
    await refuseRootless(context.source, context.destination);
    if (context.begun !== null) return goOn(context, context.begun, look);
    await refuseLocked(context, look);
    if (look.source === null || look.source.service.state !== "running") return refuseByPreflight(context);
    context.epoch = 1 + Math.max(look.source.ownership.epoch, look.destinationOwnership?.epoch ?? 0);
    context.journal = await openJournal(context);
    await openSource(context, look.source);
    await openDestination(context, look.source);
  },
  undo: async (context) => {
    if (context.journal === null) return "nothing was opened";
    const parts = [await closeSource(context), await closeDestination(context)];
    return parts.join("; ");
  },
};

/** Both ends still have it open: they would have closed it together. */
async function goOn(context: MigrationContext, journal: Journal, look: FirstLook): Promise<void> {
  const { destination, id, plan, tell } = context;
  if (!(await journal.take(whoWeAre(), plan.text))) throw stillRuns(id, journal.pid);
  context.journal = journal;
  context.epoch = journal.created.epoch;
  const there = look.destination?.open ?? (await openMigrationOf(destination));
  if (look.source?.open?.id !== id || there?.id !== id) throw predumpGone(context);
  const made = look.source.migration?.rounds.length ?? 0;
  tell({ kind: "said", text: `goes on with ${id}, of which ${made} rounds are made` });
}

/** The undoing that follows clears up what is left of it. */
function predumpGone({ id, service, plan }: MigrationContext): FastmigError {
  return new FastmigError(
    `the predump of ${service.name} (migration ${id}) is not open on both nodes any more`,
    {
      code: "PREDUMP_GONE",
      exit: exitCodes.rolledBack,
      hint: `it is cleared up now: \`fastmig migrate ${plan.path}\` begins anew`,
    },
  );
}

/** A service that another migration holds does not run: that migration is what has to be named, not its effects. */
async function refuseLocked({ source, destination }: MigrationContext, look: FirstLook): Promise<void> {
  if (look.source?.open) throw locked(source, look.source.open);
  const there = look.destination?.open ?? (await openMigrationOf(destination));
  if (there !== null) throw locked(destination, there);
}

function openJournal({ id, epoch, migration, plan, options }: MigrationContext): Promise<Journal> {
  const created = {
    kind: "created" as const,
    id,
    epoch,
    ...{ service: migration.service, from: migration.from, to: migration.to },
  };
  const more = {
    plan: plan.path,
    by: whoWeAre(),
    pid: process.pid,
    keepSource: plan.options.keepSource,
    sshConfig: options.sshConfig,
  };
  return Journal.create(options.journals, { ...created, ...more }, plan.text);
}

/** `user@host pid N`. */
export function whoWeAre(): string {
  return `${userInfo().username}@${hostname()} pid ${process.pid}`;
}

function record(context: MigrationContext, role: Role, source: Status): OpenMigration {
  const { id, epoch, migration, plan } = context;
  const service = given(source.ownership.service, "the running service's description");
  return {
    id,
    epoch,
    role,
    service,
    from: migration.from,
    to: migration.to,
    by: whoWeAre(),
    plan: plan.path,
    openedAt: new Date().toISOString(),
  };
}

async function openSource(context: MigrationContext, status: Status): Promise<void> {
  await context.journal?.append({ kind: "made", node: context.source.name, what: "open", name: context.id });
  await openByDaemon(context.source, record(context, "source", status), status.open);
}

/** Where a standby's daemon waits already it is asked; else nobody is there to be asked, and the file itself is the question. */
async function openDestination(context: MigrationContext, source: Status): Promise<void> {
  const { destination, look, journal } = context;
  await journal?.append({ kind: "made", node: destination.name, what: "open", name: context.id });
  const wanted = record(context, "destination", source);
  if (look?.destination) return openByDaemon(destination, wanted, look.destination.open);
  await prepareDirectories(destination);
  if (await createState(destination, "open.json", `${JSON.stringify(wanted)}\n`)) return;
  throw locked(destination, await openMigrationOf(destination));
}

async function openByDaemon(site: Site, wanted: OpenMigration, last: OpenMigration | null): Promise<void> {
  const daemon = await site.daemon();
  try {
    await daemon.open(wanted);
  } catch (thrown) {
    if (!isLocked(thrown)) throw thrown;
    throw locked(site, (await daemon.status()).open ?? last);
  }
}

function locked(site: Site, by: OpenMigration | null): FastmigError {
  const who = by === null ? "its record is gone by now" : holder(by);
  return new FastmigError(`another migration of ${site.service} is open on ${site.name}: ${who}`, {
    code: "LOCKED",
    exit: exitCodes.locked,
    hint:
      by === null
        ? "try again"
        : `wait for it to end, or look at it: \`fastmig status PLAN\`, \`fastmig resume ${by.id}\`, \`fastmig abort ${by.id}\``,
  });
}
