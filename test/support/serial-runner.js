import { basename } from "node:path";
import JestRunner from "jest-runner";
import { down, findLab, obstacle } from "../../dist/lab/index.js";

/** Run where FASTMIG_TEST_LONG is set: what takes emulated machines too long for every run. */
const isLong = ({ path }) => path.endsWith(".long.test.ts");

/**
 * One test file after another: the end-to-end tests share one machine, its nodes and its clock. Their labs are
 * ended after the last of them, unless they were up before. Where this machine can raise none they are not run:
 * at a user's desk with the reason, in CI that is a failure.
 */
export default class SerialRunner extends JestRunner {
  isSerial = true;

  async runTests(all, ...args) {
    const reason = process.env.CI === undefined ? await obstacle() : undefined;
    if (reason !== undefined) return skip(reason);
    const { FASTMIG_TEST_LAB = "test", FASTMIG_TEST_VM_LAB = "testvm", FASTMIG_TEST_LONG } = process.env;
    const tests = FASTMIG_TEST_LONG === undefined ? withoutLong(all) : all;
    const names = [FASTMIG_TEST_LAB, FASTMIG_TEST_VM_LAB];
    const found = await Promise.all(names.map((name) => findLab(name)));
    try {
      await super.runTests(tests, ...args);
    } finally {
      for (const [index, name] of names.entries()) if (found[index] === undefined) await down(name);
    }
  }
}

function withoutLong(tests) {
  const left = tests.filter(isLong).map(({ path }) => basename(path));
  if (left.length > 0)
    process.stderr.write(`\nleft out: ${left.join(", ")} (with FASTMIG_TEST_LONG=1 they are run too)\n`);
  return tests.filter((test) => !isLong(test));
}

function skip({ message, hint }) {
  process.stderr.write(
    `\nThe end-to-end tests are skipped: ${message}\n${hint.map((line) => `→ ${line}\n`).join("")}\n`,
  );
}
