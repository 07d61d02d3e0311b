import { describe, expect, test } from "@jest/globals";
import {
  InitRefusal,
  type ExitEvent,
  type InitClient,
  type InitHandlers,
  type SpawnRequest,
} from "../../../src/daemon/init-client.js";
import type { ProcessId } from "../../../src/daemon/procfs.js";
import { describeEnd, Processes } from "../../../src/daemon/processes.js";

/** Init's side of the line: what it would tell, and a process table that is empty. */
function withInit(): { processes: Processes; tell: (event: ExitEvent) => void; miss: () => void } {
  let handlers: Partial<InitHandlers> = {};
  const processes = new Processes((given) => {
    handlers = given;
    const kill = async (): Promise<void> => Promise.reject(new InitRefusal("kill", "No such process"));
    const list = async (): Promise<[]> => Promise.resolve([]);
    const spawn = async (): Promise<ProcessId> => Promise.resolve(gone);
    return { kill, list, spawn } as unknown as InitClient;
  });
  return {
    processes,
    tell: (event) => void handlers.exited?.(event),
    miss: () => handlers.missed?.(1),
  };
}

const gone = { pid: 4_000_000, startTicks: 7 };
const exit = { ...gone, name: "dump", end: { kind: "exited", code: 3 } } as const;

describe("processes that init watches for us", () => {
  test("whoever asks, and however often, hears of the same end", async () => {
    const { processes, tell } = withInit();
    const [first, second] = [processes.track(gone).ended, processes.track(gone).ended];
    tell(exit);
    expect(await Promise.all([first, second])).toEqual([exit.end, exit.end]);
  });

  test("an end that was told before is remembered", async () => {
    const { processes, tell } = withInit();
    tell(exit);
    expect(await processes.track(gone).ended).toEqual(exit.end);
  });

  test("one that is gone and was told to an earlier daemon ended unseen", async () => {
    expect(await withInit().processes.track(gone).ended).toBeNull();
  });

  test("one that ended before its end was told is known by what init said of its start", async () => {
    const { processes, tell } = withInit();
    const { ended } = await processes.spawn({} as SpawnRequest);
    tell(exit);
    expect(await ended).toEqual(exit.end);
  });

  test("killing what is gone already is no error", async () => {
    await expect(withInit().processes.kill(gone.pid, 9)).resolves.toBeUndefined();
  });

  test("an end is described", () => {
    expect(describeEnd({ kind: "exited", code: 3 })).toBe("exited with 3");
    expect(describeEnd({ kind: "signaled", signal: 9 })).toBe("was killed by signal 9");
    expect(describeEnd(null)).toBe("ended, nobody saw how");
  });
});
