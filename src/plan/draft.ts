import type { Plan, PlanMigration, PlanNode, PlanOptions, PlanService } from "./plan.js";
import type { Path } from "./problem.js";
import { resolveMigration, resolveOptions } from "./resolve/migration.js";
import { resolveNode } from "./resolve/node.js";
import { resolveService } from "./resolve/service.js";
import type { WrittenMigration } from "./schema/migration.js";
import type { WrittenNode } from "./schema/node.js";
import type { WrittenService } from "./schema/service.js";

/**
 * A plan of which parts may be broken: those are null, and their names are known all the same.
 * So the rules find what is wrong between the sound parts although others still have problems of their own.
 */
export interface Draft {
  nodes: Map<string, PlanNode | null>;
  services: Map<string, PlanService | null>;
  migrations: (PlanMigration | null)[];
  options: PlanOptions | null;
}

/** `broken`: the paths of what has not the shape of a written plan. */
export function draftOf(data: unknown, broken: readonly Path[]): Draft {
  const isSound = (section: string, key?: PropertyKey): boolean =>
    !broken.some((path) => path[0] === section && (key === undefined || path[1] === key));
  // A part without a problem has passed its schema: the casts say what that schema says.
  return {
    nodes: mapped(section(data, "nodes"), (name, written) =>
      isSound("nodes", name) ? resolveNode(name, written as WrittenNode) : null,
    ),
    services: mapped(section(data, "services"), (name, written) =>
      isSound("services", name) ? resolveService(name, written as WrittenService) : null,
    ),
    migrations: listed(section(data, "migrations"), (at, written) =>
      isSound("migrations", at) ? resolveMigration(written as WrittenMigration) : null,
    ),
    options: isSound("options") ? resolveOptions(section(data, "options") ?? {}) : null,
  };
}

/** The whole plan; undefined while a part of it is broken. */
export function wholePlan(draft: Draft, path: string, text: string): Plan | undefined {
  const [nodes, services] = [[...draft.nodes], [...draft.services]];
  const { migrations, options } = draft;
  if (!nodes.every(isWhole) || !services.every(isWhole) || !migrations.every(isThere) || options === null)
    return undefined;
  return {
    path,
    text,
    nodes: Object.fromEntries(nodes),
    services: Object.fromEntries(services),
    migrations,
    options,
  };
}

function section(data: unknown, key: string): unknown {
  return isMap(data) ? data[key] : undefined;
}

function mapped<T>(written: unknown, resolve: (name: string, one: unknown) => T): Map<string, T> {
  return new Map(
    Object.entries(isMap(written) ? written : {}).map(([name, one]) => [name, resolve(name, one)]),
  );
}

function listed<T>(written: unknown, resolve: (at: number, one: unknown) => T): T[] {
  return Array.isArray(written) ? written.map((one, at) => resolve(at, one)) : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isThere<T>(value: T | null): value is T {
  return value !== null;
}

function isWhole<T>(entry: [string, T | null]): entry is [string, T] {
  return entry[1] !== null;
}
