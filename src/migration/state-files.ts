import * as z from "zod/mini";
import { exitCodes, FastmigError } from "../errors.js";
import { MigrationId, OpenMigration, Ownership } from "../daemon/api.js";
import { commandFailed, run } from "../remote/run.js";
import type { Site } from "./site.js";

/** What a daemon journals, as far as it matters here. */
const JournalLine = z.object({ id: MigrationId, state: z.string() });

/** Where a state directory is. */
type Place = Pick<Site, "name" | "node" | "paths">;

/** Reads and writes a service's state directory on a node where no daemon runs. Paths and content travel as arguments and stdin. */

const read = `for file in "$@"; do [ ! -e "$file" ] || { cat "$file" && echo; } || exit 1; done`;

export async function ownershipOf(site: Place): Promise<Ownership | null> {
  return readState(site, "ownership.json", Ownership);
}

export async function openMigrationOf(site: Place): Promise<OpenMigration | null> {
  return readState(site, "open.json", OpenMigration);
}

async function readState<T extends z.ZodMiniType>(
  site: Place,
  name: string,
  schema: T,
): Promise<z.infer<T> | null> {
  const path = `${site.paths.state}/${name}`;
  const text = await run(await site.node(), ["sh", "-c", read, "sh", path]);
  if (text.trim() === "") return null;
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new FastmigError(`${path} on ${site.name} does not read as fastmig writes it`, {
    code: "STATE_DAMAGED",
    exit: exitCodes.inDoubt,
    details: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    hint: "look at it there; do not remove it before you know which node has the service",
  });
}

const existsAlready = 17;
/** `ln` creates the whole file at once or not at all: a half-written lock is never seen. */
const create = `umask 077
file=$1 part=$1.$$
cat > "$part" && sync "$part" || exit 1
if ln "$part" "$file" 2>/dev/null; then rm -f "$part"; sync "$(dirname "$file")"; exit 0; fi
rm -f "$part"
[ -e "$file" ] && exit ${existsAlready}
exit 1`;

/** Creates a file of the state directory exclusively. False: it is there already. */
export async function createState(site: Place, name: string, content: string): Promise<boolean> {
  const node = await site.node();
  const argv = ["sh", "-c", create, "sh", `${site.paths.state}/${name}`];
  const outcome = await node.exec(argv, { stdin: content });
  if (outcome.kind === "exited" && outcome.code === 0) return true;
  if (outcome.kind === "exited" && outcome.code === existsAlready) return false;
  throw commandFailed(node, argv, outcome);
}

const remove = `rm -rf -- "$@" || exit 1
dir=$(dirname "$1")
[ ! -d "$dir" ] || sync "$dir"`;

/** Removes files of the state directory and of what belongs to it. */
export async function removeState(site: Place, names: readonly string[]): Promise<void> {
  await run(await site.node(), [
    "sh",
    "-c",
    remove,
    "sh",
    ...names.map((name) => `${site.paths.state}/${name}`),
  ]);
}

const bury = `umask 077
cd "$1" && cat > ownership.json.$$ && sync ownership.json.$$ && mv ownership.json.$$ ownership.json && sync . && rm -rf -- open.json "images/$2" && sync .`;

/**
 * Writes the tombstone and closes the migration where no daemon can: the container is stopped or gone, and its verdict is `released`.
 * The tombstone comes first: whatever starts between the two finds that it is not the owner.
 */
export async function buryByHand(site: Place, id: string, epoch: number): Promise<void> {
  const tombstone: Ownership = { epoch, role: "released", service: null };
  await run(await site.node(), ["sh", "-c", bury, "sh", site.paths.state, id], {
    stdin: `${JSON.stringify(tombstone)}\n`,
  });
}

export async function verdictOf(site: Place, id: string): Promise<string | null> {
  const text = await run(await site.node(), [
    "sh",
    "-c",
    read,
    "sh",
    `${site.paths.state}/migrations/${id}/verdict`,
  ]);
  return text.trim() === "" ? null : text.trim();
}

const last = `[ ! -e "$1" ] || { grep -F "$2" "$1" || [ $? = 1 ]; } | tail -n 2`;

/** The state that the daemon journalled last; null: it never did. A line that a crash cut short was never promised to anybody. */
export async function lastStateOf(site: Place, id: string): Promise<string | null> {
  const journal = `${site.paths.state}/journal.ndjson`;
  const text = await run(await site.node(), ["sh", "-c", last, "sh", journal, id]);
  const entries = text.split("\n").flatMap((line) => {
    try {
      return [JournalLine.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
  return entries.findLast((entry) => entry.id === id)?.state ?? null;
}
