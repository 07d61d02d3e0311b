import { FastmigError } from "../../src/errors.js";
import { type LabState, up } from "../../src/lab/index.js";

/** The lab that all end-to-end tests share; the runner ends it after the last of them (serial-runner.js). */
export const testLabName = process.env.FASTMIG_TEST_LAB ?? "test";

/** Nodes a and b, up, links unshaped. About a second; the first time of all a minute more. */
export function testLab(): Promise<LabState> {
  return up({ name: testLabName, nodes: ["a", "b"], rate: null });
}

/** The lab of machines that all end-to-end tests share; ended like `testLab`. */
export const vmLabName = process.env.FASTMIG_TEST_VM_LAB ?? "testvm";

/** Machines a and b with Debian's kernel, up, links unshaped. 15 seconds; the first time of all two minutes more. */
export function vmLab(): Promise<LabState> {
  return up({ name: vmLabName, kind: "vm", nodes: ["a", "b"], rate: null });
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
