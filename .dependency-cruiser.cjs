/** Which way imports point: DESIGN's section on shape, as rules. Everything may use the leaves (src/*.ts). */
const parts = [
  "commands",
  "plan",
  "migration",
  "remote",
  "criu",
  "daemon",
  "image",
  "container",
  "lab",
  "ui",
];

/** What a part may import of the others; `types` only as types; of the daemon only its API (see below). */
const may = {
  commands: { of: ["criu", "image", "migration", "plan", "remote", "ui", "lab"], types: [] },
  ui: { of: [], types: ["criu", "image", "migration", "plan"] },
  migration: { of: ["remote", "criu", "daemon"], types: ["plan"] },
  remote: { of: ["criu", "daemon"], types: [] },
  daemon: { of: ["criu", "image"], types: [] },
  container: { of: ["daemon", "image"], types: [] },
  plan: { of: [], types: [] },
  criu: { of: [], types: [] },
  image: { of: [], types: [] },
  lab: { of: [], types: [] },
};

const folder = (names) => `^src/(${names.join("|")})/`;
const others = (part, allowed) => parts.filter((name) => name !== part && !allowed.includes(name));

const directions = Object.entries(may).flatMap(([part, { of, types }]) => [
  {
    name: `${part}-imports`,
    severity: "error",
    from: { path: folder([part]) },
    to: { path: folder(others(part, [...of, ...types])) },
  },
  ...types.map((target) => ({
    name: `${part}-types-of-${target}`,
    severity: "error",
    from: { path: folder([part]) },
    to: { path: folder([target]), dependencyTypesNot: ["type-only"] },
  })),
]);

const onlyIn = (name, where) => ({
  name: `${name}-only-in-${where.join("-")}`,
  severity: "error",
  from: { path: "^src/", pathNot: folder(where) },
  to: { path: `^node_modules/${name}/` },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-dev-dependencies",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "leaves-import-leaves",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: folder(parts) },
    },
    {
      name: "only-the-daemons-api",
      comment:
        "both sides check the same schemas; nothing else of the daemon may reach the CLI. The container's programs are daemons",
      severity: "error",
      from: { path: "^src/", pathNot: folder(["daemon", "container"]) },
      to: { path: "^src/daemon/", pathNot: "^src/daemon/api(\\.ts$|/)" },
    },
    {
      name: "the-daemons-api-is-a-leaf",
      severity: "error",
      from: { path: "^src/daemon/api(\\.ts$|/)" },
      to: { path: folder(parts), pathNot: "^src/daemon/api/" },
    },
    ...directions,
    onlyIn("ssh2", ["remote"]),
    onlyIn("execa", ["remote", "lab"]),
    onlyIn("chalk", ["ui"]),
    onlyIn("listr2", ["ui"]),
    onlyIn("yaml", ["plan"]),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|build)/" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
