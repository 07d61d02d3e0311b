import { expect, test } from "@jest/globals";
import { Silence } from "../../../../src/daemon/handover/silence.js";
import { pause } from "../../../../src/wait.js";

const never = new AbortController().signal;

test("work that is silent is given up", async () => {
  const silence = new Silence(never, 50);
  await expect(silence.watch(() => pause(5000, silence.signal))).rejects.toThrow(
    "the destination has taken nothing for 0.05 s",
  );
});

test("work that says something now and then goes on", async () => {
  const silence = new Silence(never, 150);
  const done = await silence.watch(async () => {
    for (let left = 6; left > 0; left--) {
      await pause(50, silence.signal);
      silence.broken();
    }
    return "done";
  });
  expect(done).toBe("done");
});

test("before it is watched nothing counts as silence, and whoever gives it up is heard", async () => {
  const outer = new AbortController();
  const silence = new Silence(outer.signal, 20);
  silence.broken();
  await pause(60);
  expect(silence.signal.aborted).toBe(false);
  outer.abort(new Error("aborted by somebody"));
  expect(silence.signal.reason).toMatchObject({ message: "aborted by somebody" });
});
