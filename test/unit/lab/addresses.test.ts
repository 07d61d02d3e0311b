import { describe, expect, test } from "@jest/globals";
import { checkNodeNames, freeNetwork, nodeAddress } from "../../../src/lab/addresses.js";
import { hardwareAddress } from "../../../src/lab/network.js";
import { assign } from "../../../src/lab/up.js";

describe("names of nodes", () => {
  test.each([[["a"]], [["a", "b", "node-3"]]])("%j are accepted", (names) => {
    expect(() => checkNodeNames(names)).not.toThrow();
  });

  test.each([
    [[], /at least one/],
    [["a", "a"], /"a" is named twice/],
    [["client"], /"client" is no name/],
    [["A"], /"A" is no name/],
    [["../x"], /is no name/],
    [["averyverylongname"], /is no name/],
  ])("%j are refused", (names, message) => {
    expect(() => checkNodeNames(names)).toThrow(message);
  });
});

describe("the network", () => {
  test("the same lab finds the same one", () => {
    expect(freeNetwork("lab-1", [])).toBe(freeNetwork("lab-1", ["192.0.2.1"]));
    expect(freeNetwork("lab-1", [])).toMatch(/^10\.77\.\d+$/);
  });

  test("it is one that nobody has", () => {
    const first = freeNetwork("lab-1", []);
    expect(freeNetwork("lab-1", [`${first}.1`])).not.toBe(first);
  });

  test("none is left", () => {
    const all = Array.from({ length: 256 }, (_, third) => `10.77.${third}.1`);
    expect(() => freeNetwork("lab-1", all)).toThrow(/in use/);
  });

  test("a node's address is the first that is free", () => {
    expect(nodeAddress("10.77.3", ["10.77.3.11", "10.77.3.13"])).toBe("10.77.3.12");
  });

  test("a hardware address stays with its address", () => {
    expect(hardwareAddress("10.77.3.11")).toBe("02:fa:0a:4d:03:0b");
  });
});

test("nodes that are up keep their addresses when others come and go", () => {
  const paths = { dir: "/lab" };
  const before = assign(paths, "10.77.3", ["a", "b"], []);
  const after = assign(paths, "10.77.3", ["c", "b"], before);
  expect(after.map(({ name, address }) => [name, address])).toEqual([
    ["c", "10.77.3.11"],
    ["b", "10.77.3.12"],
  ]);
});
