import { expect, test } from "@jest/globals";
import { Drawn } from "../../../src/ui/drawn.js";

test("what was said before the drawing began is drawn, the standing first", () => {
  const drawn = new Drawn("Switch over");
  const line = { title: "Switch over", output: "" };
  drawn.say("relay");
  void drawn.until(line);
  expect(line.output).toBe("relay");
  drawn.stand("held, frozen for 1s");
  drawn.say("1MB of 2MB");
  expect(line.output).toBe("held, frozen for 1s; 1MB of 2MB");
});

test("what is kept stands above what is said later", () => {
  const drawn = new Drawn("Rounds");
  const line = { title: "Rounds", output: "" };
  void drawn.until(line);
  drawn.say("1MB of 2MB");
  drawn.keep("round 1: 2MB");
  drawn.say("1kB of 2kB");
  drawn.keep("round 2: 2kB");
  expect(line.output).toBe("round 1: 2MB\nround 2: 2kB");
});

test("it is settled once, by its end or by a failure", async () => {
  const ended = new Drawn("Check");
  const line = { title: "Check", output: "" };
  const until = ended.until(line);
  ended.end("1s");
  ended.fail("too late");
  await until;
  expect(line.title).toBe("Check  1s");
  const failed = new Drawn("Check");
  failed.fail("no");
  failed.end();
  await expect(failed.until(line)).rejects.toThrow("no");
});
