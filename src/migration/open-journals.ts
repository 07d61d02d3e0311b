import { Journal } from "./journal.js";

/** A migration of this operator that is not settled. `predumped`: open on purpose, for a later `migrate`. */
export interface Unsettled {
  id: string;
  service: string;
  from: string;
  to: string;
  /** `begun`: its program runs, or died. Else what it said itself at its end. */
  state: "begun" | "in doubt" | "unfinished" | "predumped";
  since: string;
}

/** A journal that cannot be read is none of a migration that can be resumed from here. */
export async function unsettledMigrations(root: string): Promise<Unsettled[]> {
  const ids = await Journal.list(root);
  const journals = await Promise.all(ids.map((id) => Journal.read(root, id).catch(() => null)));
  return journals.flatMap((journal) => {
    if (journal === null || journal.outcome === "done" || journal.outcome === "rolled back") return [];
    const { id, service, from, to } = journal.created;
    return [
      { id, service, from, to, state: journal.outcome ?? "begun", since: journal.entries[0]?.at ?? "" },
    ];
  });
}
