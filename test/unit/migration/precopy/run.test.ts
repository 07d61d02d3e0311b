import { afterEach, describe, expect, test } from "@jest/globals";
import type { MigrationView, Round } from "../../../../src/daemon/api.js";
import { FastmigError } from "../../../../src/errors.js";
import type { StepEvent } from "../../../../src/migration/progress.js";
import { rounds as roundsStep } from "../../../../src/migration/steps/rounds.js";
import { ends, type Ends } from "../../../support/migration/ends.js";
import { view } from "../../../support/migration/facts.js";
import { lost, series } from "../../../support/migration/rounds.js";

type Made = Parameters<typeof series>[0];
const full = { written: 300, totalMs: 3000 };
const part = (written: number, totalMs: number, sinceParentMs: number) => ({
  written,
  totalMs,
  sinceParentMs,
});

let stage: Ends | undefined;
afterEach(() => stage?.close());

/** A source whose daemon makes these rounds, one for each time it is asked; each is under way for one look. */
function scene(made: Made, written: string, change: (asked: number) => Partial<MigrationView> = () => ({})) {
  const all = series(made);
  let [asked, looks] = [0, 0];
  const now = (): Round[] =>
    all.slice(0, asked).map((round, at) => (at === asked - 1 && looks < 1 ? underWay(round) : round));
  const reply = (verb: string | undefined): MigrationView => {
    if (verb === "rounds") [asked, looks] = [asked + 1, 0];
    const answer = view("source", { rounds: now(), ...change(asked) });
    if (verb === undefined) looks += 1;
    return answer;
  };
  const made2 = ends({ reply }, {}, `strategy: pre-copy, transfer: relay, ${written}`);
  stage = made2;
  const told: StepEvent[] = [];
  made2.context.tell = (event) => void told.push(event);
  made2.context.precopy.costs = {
    dump: { fixedMs: 50, msPerByte: 0 },
    restore: { fixedMs: 50, msPerByte: 0, msPerMapByte: 0 },
    handOver: { fixedMs: 0, msPerByte: 0 },
  };
  return { ...made2, told };
}

function underWay(round: Round): Round {
  return { ...round, state: "shipping", totalMs: null, shipped: round.bytes / 2 };
}

async function thrownBy(work: Promise<unknown>): Promise<FastmigError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof FastmigError) return thrown;
  throw new Error(`no FastmigError: ${String(thrown)}`);
}

describe("the rounds", () => {
  test("go on until the downtime fits; each is told once, with what is predicted after it", async () => {
    const { context, a, told } = scene([full, part(18, 180, 3200)], "downtime: 300ms, bandwidth: 50MB/s");
    await roundsStep.run(context, undefined);
    const request = `rounds {"peer":{"transport":"relay","socket":"/run/fastmig/counter/peer.sock"},"bandwidth":50000000}`;
    expect(a.asked).toEqual([request, request]);
    expect(told.filter(({ kind }) => kind === "round")).toMatchObject([
      { round: { number: 1, parent: null, predictedMs: null, budgetMs: 300 } },
      { round: { number: 2, parent: 1, bytes: 18e6, predictedMs: 131 } },
    ]);
    expect(told.some((event) => event.kind === "moved" && event.bytes === 150e6)).toBe(true);
    expect(context.precopy.decision).toMatchObject({ kind: "switch", why: "fits" });
    expect(context.line).not.toBeNull();
  });

  test("a budget that is tuned meanwhile counts at once", async () => {
    const tuned = (asked: number): Partial<MigrationView> =>
      asked < 2 ? {} : { tuning: { bandwidth: null, downtime: 400 } };
    const { context, a } = scene([full, part(25, 250, 3200), part(5, 60, 500)], "downtime: 300ms", tuned);
    await roundsStep.run(context, undefined);
    expect([a.asked.length, context.precopy.budgetMs]).toEqual([2, 400]);
  });

  test("a failed one is followed by a full one", async () => {
    const { context, told } = scene([full, lost, full, part(1, 60, 3200)], "downtime: 300ms");
    await roundsStep.run(context, undefined);
    expect(told.filter(({ kind }) => kind === "round")).toMatchObject([
      { round: { number: 1, state: "done" } },
      { round: { number: 2, state: "failed", failure: "transfer: the link is gone" } },
      { round: { number: 3, parent: null } },
      { round: { number: 4, parent: 3 } },
    ]);
  });

  test("abort, where that is the policy, says what was predicted", async () => {
    const { context } = scene([full, part(280, 2800, 3200)], "downtime: 300ms, onDivergence: abort");
    const error = await thrownBy(roundsStep.run(context, undefined));
    expect({ code: error.code, exit: error.exit, message: error.message }).toEqual({
      code: "ROUNDS_ABORTED",
      exit: 5,
      message:
        "counter is not moved: it writes 87.5MB/s, the line takes 100MB/s; 2.72s of downtime predicted, the budget is 300ms",
    });
    expect(await roundsStep.undo?.(context)).toBe("what the rounds copied goes with the migration");
    expect(context.line).toBeNull();
  });

  test("a source that gave the migration up ends them", async () => {
    const { context } = scene([full], "downtime: 1s", (asked) => (asked === 1 ? { state: "aborted" } : {}));
    expect((await thrownBy(roundsStep.run(context, undefined))).code).toBe("GIVEN_UP");
  });

  test("a signal ends them in the middle of a round", async () => {
    const { context } = scene([full], "downtime: 1s");
    const stop = new AbortController();
    context.tell = (event) => void (event.kind === "moved" && stop.abort(new Error("SIGINT")));
    await expect(roundsStep.run(context, stop.signal)).rejects.toThrow("SIGINT");
  });

  test("a service that cannot be throttled is moved as it is, and the report says so", async () => {
    const { context } = scene([full, part(280, 2800, 3200)], "downtime: 300ms, onDivergence: throttle");
    await roundsStep.run(context, undefined);
    expect(context.precopy.decision).toMatchObject({ kind: "switch", why: "diverged" });
    expect(context.accepted).toEqual([expect.stringContaining("counter cannot be throttled")]);
  });

  test("none where the kernel cannot track pages", async () => {
    const { context, a, told } = scene([], "downtime: 300ms");
    context.precopy.unsupported = "no soft-dirty";
    await roundsStep.run(context, undefined);
    expect(a.asked).toEqual([]);
    expect(told).toEqual([{ kind: "said", text: "no rounds: no soft-dirty" }]);
  });
});

describe("a predump", () => {
  test("makes as many as it was asked for", async () => {
    const { context, a } = scene([full, part(1, 60, 3200), part(1, 60, 300)], "downtime: 300ms");
    context.precopy.predump = 3;
    await roundsStep.run(context, undefined);
    expect(a.asked).toHaveLength(3);
  });

  test("fails where they fail", async () => {
    const { context } = scene([lost, lost], "downtime: 300ms");
    context.precopy.predump = 3;
    expect((await thrownBy(roundsStep.run(context, undefined))).message).toBe(
      "counter is not moved: 2 of 2 rounds failed",
    );
  });
});
