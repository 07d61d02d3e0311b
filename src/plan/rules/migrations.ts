import type { PlanMigration } from "../plan.js";
import { atValue, type Problem } from "../problem.js";
import type { Rule } from "./rules.js";
import { noSuch, soundMigrations } from "./sound.js";

type Check = (
  migration: PlanMigration,
  draft: Parameters<Rule>[0],
) => [key: string, message: string] | undefined;

/** A rule that looks at one migration at a time. */
function each(check: Check): Rule {
  return (draft) =>
    soundMigrations(draft.migrations).flatMap(([index, migration]): Problem[] => {
      const [key, message] = check(migration, draft) ?? [];
      return key === undefined || message === undefined ? [] : [atValue(["migrations", index, key], message)];
    });
}

// Where no name at all is known the plan's shape is wrong already, and that has been said.
const serviceExists = each(({ service }, { services }) =>
  services.has(service) || services.size === 0
    ? undefined
    : ["service", noSuch("service", service, services.keys())],
);

const nodeExists = (key: "from" | "to"): Rule =>
  each((migration, { nodes }) =>
    nodes.has(migration[key]) || nodes.size === 0
      ? undefined
      : [key, noSuch("node", migration[key], nodes.keys())],
  );

const goesElsewhere = each(({ from, to }) => (from === to ? ["to", "is the node it comes from"] : undefined));

const leaseBelowDeadline = each(({ lease, deadline }) =>
  lease < deadline ? undefined : ["lease", "has to be shorter than deadline"],
);

const directNeedsPorts = each(({ transfer, to }, { nodes }) =>
  transfer === "direct" && nodes.get(to)?.transferPorts === null
    ? ["transfer", `direct needs transferPorts at node ${to}, where the source connects to`]
    : undefined,
);

const needsBudget = each(({ precopy, downtime }) =>
  precopy === null || precopy.onDivergence === "switch" || downtime !== null
    ? undefined
    : ["onDivergence", `${precopy.onDivergence} needs downtime, the budget that the rounds work towards`],
);

const capsSomething = each(({ precopy, bandwidth }) =>
  precopy === null && bandwidth.rounds !== null
    ? ["bandwidth", "caps the rounds, which stop-and-copy has none of; of the final copy: { final: RATE }"]
    : undefined,
);

const oncePerService: Rule = ({ migrations }) => {
  const seen = new Map<string, number>();
  return soundMigrations(migrations).flatMap(([index, { service }]) => {
    const first = seen.get(service);
    seen.set(service, first ?? index);
    const message = `${service} is moved by migrations[${first}] already: one plan moves a service once`;
    return first === undefined ? [] : [atValue(["migrations", index, "service"], message)];
  });
};

export const migrationRules: readonly Rule[] = [
  serviceExists,
  nodeExists("from"),
  nodeExists("to"),
  goesElsewhere,
  oncePerService,
  leaseBelowDeadline,
  directNeedsPorts,
  needsBudget,
  capsSomething,
];
