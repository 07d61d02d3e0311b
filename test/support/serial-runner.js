import JestRunner from "jest-runner";
import { down, findLab, obstacle } from "../../dist/lab/index.js";

/**
 * One test file after another: the end-to-end tests share one machine, its nodes and its clock. Their lab is
 * ended after the last of them, unless it was up before. Where this machine can raise none they are not run:
 * at a user's desk with the reason, in CI that is a failure.
 */
export default class SerialRunner extends JestRunner {
  isSerial = true;

  async runTests(...args) {
    const reason = process.env.CI === undefined ? await obstacle() : undefined;
    if (reason !== undefined) return skip(reason);
    const name = process.env.FASTMIG_TEST_LAB ?? "test";
    const stays = (await findLab(name)) !== undefined;
    try {
      await super.runTests(...args);
    } finally {
      if (!stays) await down(name);
    }
  }
}

function skip({ message, hint }) {
  process.stderr.write(
    `\nThe end-to-end tests are skipped: ${message}\n${hint.map((line) => `→ ${line}\n`).join("")}\n`,
  );
}
