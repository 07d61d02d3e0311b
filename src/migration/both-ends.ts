import type { Role } from "../daemon/api.js";
import type { MigrationContext } from "./context.js";
import type { Closing } from "./journal.js";
import { judge, type Judgement, type Seen } from "./judge.js";
import { isAlive } from "./reopen.js";
import { seeBoth } from "./watch.js";

/** What a migration's journal and both of its nodes say of it. */
export interface BothEnds {
  id: string;
  service: string;
  /** How its journal was closed last; null: it is open. */
  closed: Closing | null;
  /** The process that works on it, where one does. */
  pid: number | null;
  ends: { node: string; role: Role; seen: Seen }[];
  /** What both together mean. */
  judgement: Judgement;
}

/** Asks both nodes once, and changes nothing. */
export async function askBothEnds(context: MigrationContext): Promise<BothEnds> {
  const { id, service, journal, source, destination } = context;
  const both = await seeBoth(context);
  const closed = journal?.outcome ?? null;
  const pid = journal !== null && closed === null && (await isAlive(journal.pid)) ? journal.pid : null;
  return {
    id,
    service: service.name,
    closed,
    pid,
    ends: [
      { node: source.name, role: "source", seen: both.source },
      { node: destination.name, role: "destination", seen: both.destination },
    ],
    judgement: judge(both.source, both.destination),
  };
}
