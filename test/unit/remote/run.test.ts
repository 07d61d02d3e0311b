import { describe, expect, test } from "@jest/globals";
import { text } from "node:stream/consumers";
import type { Outcome } from "../../../src/remote/node.js";
import { RecordingNode } from "../../../src/remote/recording.js";
import { run } from "../../../src/remote/run.js";

const answering = (answer: Partial<Outcome>): RecordingNode => new RecordingNode("a", () => answer);

describe("run", () => {
  test("gives the output back", async () => {
    expect(await run(answering({ stdout: "yes\n" }), ["ask"])).toBe("yes\n");
  });

  test.each<[string, Partial<Outcome>, object]>([
    [
      "an exit code",
      { code: 2, stderr: "bad\nluck\n" },
      {
        code: "COMMAND_FAILED",
        message: "on node a: podman ps 'a b': exited with code 2",
        details: ["bad", "luck"],
      },
    ],
    [
      "no such command",
      { code: 127 },
      { message: "on node a: podman ps 'a b': exited with code 127 (command not found)" },
    ],
    [
      "a signal",
      { kind: "signaled", signal: "SIGKILL" },
      { code: "COMMAND_FAILED", message: "on node a: podman ps 'a b': was ended by SIGKILL" },
    ],
    [
      "a lost link",
      { kind: "lost", reason: "gone" },
      { code: "COMMAND_LOST", exit: 4, message: "on node a: podman ps 'a b': unknown how it ended: gone" },
    ],
    ["only standard output", { code: 1, stdout: "said here\n" }, { details: ["said here"] }],
    [
      "sudo's refusal",
      { code: 1, stderr: "sudo: a password is required\n" },
      { code: "SUDO_REFUSED", exit: 4 },
    ],
  ])("throws on %s", async (_what, answer, expected) => {
    await expect(run(answering(answer), ["podman", "ps", "a b"])).rejects.toMatchObject(expected);
  });

  test("shows the last twenty lines", async () => {
    const stderr = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    await expect(run(answering({ code: 1, stderr }), ["x"])).rejects.toMatchObject({
      details: expect.arrayContaining(["line 10", "line 29"]),
    });
    await expect(run(answering({ code: 1, stderr }), ["x"])).rejects.not.toMatchObject({
      details: expect.arrayContaining(["line 9"]),
    });
  });
});

test("a recording node runs nothing and remembers everything", async () => {
  const node = new RecordingNode("a", ([command]) => (command === "b" ? { stdout: "out" } : undefined));
  await node.exec(["a", "1"]);
  const process = await node.spawn(["b"]);
  expect(await text(process.stdout)).toBe("out");
  expect(await process.outcome).toMatchObject({ kind: "exited", code: 0 });
  expect(node.commands).toEqual([["a", "1"], ["b"]]);
  await expect(node.connect("/s")).rejects.toMatchObject({ code: "SOCKET_REFUSED" });
  await (
    await node.listen()
  )();
  await node.close();
});
