import { expect, test } from "@jest/globals";
import { CriuPids } from "../../../src/daemon/criu-pids.js";

const free = async (): Promise<boolean> => false;

test("no run gets the PID of the one before, though it is free again", async () => {
  const pids = new CriuPids();
  expect([await pids.next(free), await pids.next(free), await pids.next(free)]).toEqual([200, 201, 202]);
});

test("what is taken is left out, and after the last comes the first", async () => {
  const pids = new CriuPids();
  const taken = new Set([200, 201, 299]);
  const found: number[] = [];
  for (let run = 0; run < 98; run += 1) found.push(await pids.next(async (pid) => taken.has(pid)));
  expect([found[0], found[96], found[97]]).toEqual([202, 298, 202]);
});

test("where all are taken it says so", async () => {
  await expect(new CriuPids().next(async () => true)).rejects.toThrow("every PID from 200 to 299 is taken");
});
