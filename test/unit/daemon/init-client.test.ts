import { describe, expect, test } from "@jest/globals";
import {
  capability,
  encodeRequest,
  parseInitLine,
  parseLiveChild,
  spawnWords,
} from "../../../src/daemon/init-protocol.js";

describe("a request's frame", () => {
  test("is the payload's length, then every word and a NUL", () => {
    const payload = ["7", "kill", "12", "15"].map((word) => `${word}\0`).join("");
    expect(encodeRequest(7, ["kill", "12", "15"])).toEqual(Buffer.from(`\r\0\0\0${payload}`));
  });

  test("counts bytes, not characters", () => {
    expect(encodeRequest(1, ["é"]).readUInt32LE()).toBe(5);
  });

  test("has no place for a NUL", () => {
    expect(() => encodeRequest(1, ["a\0b"])).toThrow("NUL");
  });
});

describe("a spawn request", () => {
  test("in full", () => {
    const words = spawnWords({
      name: "dump",
      uid: 1000,
      gid: 1001,
      groups: [4, 27],
      ambient: [capability.SYS_PTRACE, capability.CHECKPOINT_RESTORE],
      pid: 40,
      cwd: "/srv",
      stdio: { file: "/srv/out" },
      inheritPipes: true,
      argv: ["criu", "dump"],
      env: { PATH: "/bin", A: "b=c" },
    });
    expect(words).toEqual([
      ...["spawn", "dump", "1000", "1001", "4,27", "19,40", "40", "/srv", "file:/srv/out", "pipes"],
      ...["2", "criu", "dump", "2", "PATH=/bin", "A=b=c"],
    ]);
  });

  test("with what may be left out", () => {
    const words = spawnWords({ name: "s", uid: 0, gid: 0, cwd: "/", stdio: "service", argv: ["x"], env: {} });
    expect(words).toEqual(["spawn", "s", "0", "0", "", "", "0", "/", "service", "", "1", "x", "0"]);
  });
});

describe("init's lines", () => {
  test.each([
    ["hello 1 pid1", { kind: "hello", version: 1, mode: "pid1" }],
    ["hello 2 subreaper", { kind: "hello", version: 2, mode: "subreaper" }],
    ["answer 3 ok", { kind: "answer", id: 3, ok: true, words: [] }],
    ["answer 3 ok 12 13", { kind: "answer", id: 3, ok: true, words: ["12", "13"] }],
    ["answer 3 error no such verb", { kind: "answer", id: 3, ok: false, reason: "no such verb" }],
    ["event signal 15", { kind: "signal", signal: 15 }],
    ["event lost 4", { kind: "lost", count: 4 }],
    [
      "event exited 9 1000 5555 service code 3",
      {
        kind: "exited",
        sequence: 9,
        event: { pid: 1000, startTicks: 5555, name: "service", end: { kind: "exited", code: 3 } },
      },
    ],
    [
      "event exited 10 1001 5556 - signal 9",
      {
        kind: "exited",
        sequence: 10,
        event: { pid: 1001, startTicks: 5556, name: "-", end: { kind: "signaled", signal: 9 } },
      },
    ],
  ])("%s", (line, parsed) => {
    expect(parseInitLine(line)).toEqual(parsed);
  });

  test.each([
    "",
    "hello 1 elsewhere",
    "answer 3 maybe",
    "event exited 9 1000 5555 service code",
    "event exited 9 1000",
    "event",
    "ok",
  ])("%j is nothing that init says", (line) => {
    expect(() => parseInitLine(line)).toThrow("init said something unknown");
  });

  test("a live child", () => {
    expect(parseLiveChild("12:3456:service")).toEqual({ pid: 12, startTicks: 3456, name: "service" });
    expect(() => parseLiveChild("12:3456")).toThrow("init listed something unknown");
  });
});
