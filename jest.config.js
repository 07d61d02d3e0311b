/** One kind of test. */
const project = (name) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2024" }, module: { type: "es6" } },
    ],
  },
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/build"],
});

export default {
  // How long a test may take where it does not say so itself, in milliseconds; of a project Jest does not heed it.
  testTimeout: 60_000,
  projects: [
    project("unit"),
    project("integration"),
    project("cli"),
    { ...project("e2e"), runner: "<rootDir>/test/support/serial-runner.js" },
  ],
};
