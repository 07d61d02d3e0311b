import { nearest } from "../../nearest.js";
import type { PlanMigration } from "../plan.js";

/** The parts of a draft that are not broken. */
export function sound<T>(parts: ReadonlyMap<string, T | null>): T[] {
  return [...parts.values()].filter((part) => part !== null);
}

/** The sound migrations with their places in the plan. */
export function soundMigrations(migrations: readonly (PlanMigration | null)[]): [number, PlanMigration][] {
  return [...migrations.entries()].filter((entry): entry is [number, PlanMigration] => entry[1] !== null);
}

/** `there is no node "hsot1"; did you mean host1?` */
export function noSuch(kind: string, name: string, known: Iterable<string>): string {
  const names = [...known];
  // Of names as short as `a` and `b` each is near every other.
  const meant = name.length > 2 ? nearest(name, names) : undefined;
  return `there is no ${kind} "${name}"; ${meant === undefined ? `known: ${names.join(", ")}` : `did you mean ${meant}?`}`;
}
