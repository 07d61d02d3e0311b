import { FastmigError } from "../../src/errors.js";
import { type LabState, up } from "../../src/lab/index.js";

/** The lab that all end-to-end tests share; the runner ends it after the last of them (serial-runner.js). */
export const testLabName = process.env.FASTMIG_TEST_LAB ?? "test";

/** Nodes a and b, up, links unshaped. About a second; the first time of all a minute more. */
export function testLab(): Promise<LabState> {
  return up({ name: testLabName, nodes: ["a", "b"], rate: null });
}

/** The code of the FastmigError that this ends with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const ended = await work.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (ended instanceof FastmigError) return ended.code;
  throw ended;
}
