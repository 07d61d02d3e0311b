import { covers, reservedPaths } from "../forms/paths.js";
import type { PlanService } from "../plan.js";
import { atValue, type Problem } from "../problem.js";
import type { Rule } from "./rules.js";
import { sound } from "./sound.js";

const lists = ["preserve", "shared", "leave"] as const;
type List = (typeof lists)[number];

interface Entry {
  list: List;
  index: number;
  path: string;
}

function entriesOf(service: PlanService): Entry[] {
  return lists.flatMap((list) => service[list].map((path, index) => ({ list, index, path })));
}

function problem(service: PlanService, { list, index }: Entry, message: string): Problem {
  return atValue(["services", service.name, list, index], message);
}

function pairProblem(service: PlanService, earlier: Entry, later: Entry): Problem[] {
  const message = ambiguity(earlier, later);
  return message === undefined ? [] : [problem(service, later, message)];
}

/**
 * Two entries whose order or list would decide what becomes of a path. `preserve` packs a directory with everything in it,
 * so nothing below it can be treated in another way; `shared` and `leave` both only excuse, so they may nest.
 */
function ambiguity(earlier: Entry, later: Entry): string | undefined {
  const other = `${earlier.path} under ${earlier.list}`;
  if (earlier.path === later.path) return `is written twice: ${other} too`;
  if (earlier.list !== later.list && earlier.list !== "preserve" && later.list !== "preserve")
    return undefined;
  if (covers(earlier.path, later.path)) return `lies in ${other}: one of them has to go`;
  return covers(later.path, earlier.path) ? `holds ${other}: one of them has to go` : undefined;
}

const pathsOnce: Rule = ({ services }) =>
  sound(services).flatMap((service) => {
    const entries = entriesOf(service);
    return entries.flatMap((later, at) =>
      entries.slice(0, at).flatMap((earlier) => pairProblem(service, earlier, later)),
    );
  });

const pathsOfOurs: Rule = ({ services }) =>
  sound(services).flatMap((service) =>
    entriesOf(service).flatMap((entry) => {
      const reserved = reservedPaths.find((path) => covers(path, entry.path) || covers(entry.path, path));
      return reserved === undefined
        ? []
        : [problem(service, entry, `${reserved} is fastmig's own and differs between nodes`)];
    }),
  );

/** What travels has to be put in place at the destination, which a read-only volume does not let happen. */
const preserveIsWritable: Rule = ({ services }) =>
  sound(services).flatMap((service) =>
    entriesOf(service).flatMap((entry) => {
      const volume = service.run.volumes.find(
        ({ container, readOnly }) => readOnly && covers(container, entry.path),
      );
      return entry.list !== "preserve" || volume === undefined
        ? []
        : [problem(service, entry, `lies in the read-only volume ${volume.container}`)];
    }),
  );

const volumesOnce: Rule = ({ services }) =>
  sound(services).flatMap(({ name, run }) =>
    run.volumes.flatMap(({ container }, index) => {
      const at = ["services", name, "run", "volumes", index];
      const reserved = reservedPaths.find((path) => covers(path, container) || covers(container, path));
      const earlier = run.volumes.findIndex((volume) => volume.container === container);
      if (reserved !== undefined) return [atValue(at, `${reserved} in the container is fastmig's own`)];
      return earlier < index ? [atValue(at, `${container} in the container has a volume already`)] : [];
    }),
  );

export const pathRules: readonly Rule[] = [pathsOnce, pathsOfOurs, preserveIsWritable, volumesOnce];
