/** One kind of test; `seconds` is how long one test may take where it does not say so itself. */
const project = (name, seconds) => ({
  displayName: name,
  testTimeout: seconds * 1000,
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
  projects: [
    project("unit", 10),
    project("integration", 60),
    project("cli", 60),
    { ...project("e2e", 600), runner: "<rootDir>/test/support/serial-runner.js" },
  ],
};
