import { describe, expect, test } from "@jest/globals";
import { Machine } from "../../../../src/daemon/handover/machine.js";
import type { Row } from "../../../../src/daemon/handover/table.js";

type State = "cold" | "warm" | "hot";
type Event = "heat" | "cool";
type Action = "glow" | "break";

const table: readonly Row<State, Event, Action>[] = [
  { in: ["cold"], on: "heat", to: "warm", do: [] },
  { in: ["warm"], on: "heat", to: "hot", do: ["glow"] },
  { in: ["hot"], on: "cool", to: "cold", do: ["break"] },
];

function machineWith(log: string[], state: State = "cold") {
  return new Machine<State, Event, Action>({
    table,
    state,
    enter: async (entered, event) => void log.push(`${event} → ${entered}`),
    actions: {
      glow: async () => void log.push("glow"),
      break: async () => {
        throw new Error("broken");
      },
    },
    failed: (action, thrown) => void log.push(`${action}: ${(thrown as Error).message}`),
  });
}

describe("the machine", () => {
  test("journals a state before its actions start, one event after the other", async () => {
    const log: string[] = [];
    const machine = machineWith(log);
    expect(await Promise.all([machine.send("heat"), machine.send("heat")])).toEqual([true, true]);
    expect(log).toEqual(["heat → warm", "heat → hot", "glow"]);
  });

  test("takes no notice of an event that means nothing in its state", async () => {
    const log: string[] = [];
    const machine = machineWith(log);
    expect(await machine.send("cool")).toBe(false);
    expect(machine.state).toBe("cold");
    expect(log).toEqual([]);
  });

  test("stands still where the journal cannot be written, and takes the next event", async () => {
    let broken = true;
    const machine = new Machine<State, Event, Action>({
      table,
      state: "cold",
      enter: async () => {
        if (broken) throw new Error("disk full");
      },
      actions: { glow: async () => undefined, break: async () => undefined },
      failed: () => undefined,
    });
    await expect(machine.send("heat")).rejects.toThrow("disk full");
    expect(machine.state).toBe("cold");
    broken = false;
    expect(await machine.send("heat")).toBe(true);
    expect(machine.state).toBe("warm");
  });

  test("says which action failed and keeps its state", async () => {
    const log: string[] = [];
    const machine = machineWith(log, "hot");
    await machine.send("cool");
    await Promise.resolve();
    expect(log).toEqual(["cool → cold", "break: broken"]);
    expect(machine.state).toBe("cold");
  });

  test("tells who waits for a state, at once where it is there", async () => {
    const machine = machineWith([]);
    const hot = machine.reached(["hot"]);
    expect(await machine.reached(["cold", "warm"])).toBe("cold");
    await machine.send("heat");
    await machine.send("heat");
    expect(await hot).toBe("hot");
  });

  test("a waiting that is aborted rejects with the reason", async () => {
    const machine = machineWith([]);
    const controller = new AbortController();
    const waiting = machine.reached(["hot"], controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
