import { EventEmitter } from "node:events";
import { describe, expect, test } from "@jest/globals";
import { Interrupt } from "../../src/interrupt.js";

function listening() {
  const source = new EventEmitter();
  const said: string[] = [];
  const exits: number[] = [];
  const interrupt = new Interrupt(source, {
    left: () => ["node b: container counter"],
    write: (line) => said.push(line),
    exit: (code) => exits.push(code),
  });
  return { source, said, exits, interrupt };
}

describe("Interrupt", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("the first %s aborts with exit %i as the reason", (name, exit) => {
    const { source, exits, interrupt } = listening();
    source.emit(name);
    expect(interrupt.signal.reason).toMatchObject({ code: "INTERRUPTED", exit });
    expect(exits).toEqual([]);
  });

  test("the second one says what is left and exits", () => {
    const { source, said, exits } = listening();
    source.emit("SIGINT");
    source.emit("SIGTERM");
    expect(exits).toEqual([143]);
    expect(said.slice(1)).toEqual(["SIGTERM again: stopped at once", "  node b: container counter"]);
  });

  test("disposed, it leaves the signals to their defaults", () => {
    const { source, interrupt } = listening();
    interrupt[Symbol.dispose]();
    expect(source.eventNames()).toEqual([]);
  });
});
