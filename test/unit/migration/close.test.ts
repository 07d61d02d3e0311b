import { afterEach, describe, expect, test } from "@jest/globals";
import { closeDestination, closeSource } from "../../../src/migration/steps/close.js";
import { waitFor } from "../../../src/wait.js";
import { ends, removed, type End, type Ends } from "../../support/migration/ends.js";
import { open, view } from "../../support/migration/facts.js";

const made: Ends[] = [];
function scene(source: End, destination: End): Ends {
  const both = ends(source, destination);
  made.push(both);
  return both;
}
afterEach(async () => void (await Promise.all(made.splice(0).map((one) => one.close()))));

const ours = { "open.json": JSON.stringify(open) };
const theirs = { "open.json": JSON.stringify({ ...open, id: "01JCXZ0000000000000000000B" }) };
const state = "/var/lib/fastmig/counter";

describe("the destination's record", () => {
  test("a daemon that knows the migration is asked, and no file is touched", async () => {
    const { context, b } = scene(
      {},
      {
        running: true,
        files: ours,
        view: view("destination", { state: "prepared" }),
        after: view("destination", { state: "discarded" }),
      },
    );
    expect(await closeDestination(context)).toBe("b has closed it");
    expect(b.asked).toEqual(['abort {"sourceAborted":true}']);
    expect(removed(b)).toEqual([]);
  });

  test("one that closed it before is not asked again", async () => {
    const { context, b } = scene({}, { running: true, view: view("destination", { state: "discarded" }) });
    expect(await closeDestination(context)).toBe("b has closed it");
    expect(b.asked).toEqual([]);
  });

  test("one that does not discard leaves it open", async () => {
    const { context } = scene({}, { running: true, view: view("destination", { state: "resuming" }) });
    await expect(closeDestination(context)).rejects.toThrow("b does not discard it: it says resuming");
  });

  test("no file is removed below a container that runs", async () => {
    const { context, b } = scene({}, { running: true, files: ours, view: null });
    await expect(closeDestination(context)).rejects.toThrow(/does not answer, and its container runs: stop/);
    expect(removed(b)).toEqual([]);
  });

  test.each<[string, End, string]>([
    ["no container", { files: ours, view: null }, "its record on b is removed"],
    ["a stopped one", { running: false, files: ours, view: null }, "its record on b is removed"],
    ["no record either", { view: null }, "b has it closed"],
  ])("%s: the files go", async (_title, destination, found) => {
    const { context, b } = scene({}, destination);
    expect(await closeDestination(context)).toBe(found);
    const record = destination.files === undefined ? "" : `${state}/open.json `;
    expect(removed(b)).toEqual([`${record}${state}/migrations/${open.id} ${state}/images/${open.id}`]);
  });

  test("another migration's is left", async () => {
    const { context, b } = scene({}, { files: theirs, view: null });
    expect(await closeDestination(context)).toBe("b is locked by another migration, left as it is");
    expect(removed(b)).toEqual([]);
  });
});

describe("the source", () => {
  test("is asked to abort, and has to say that it did", async () => {
    const { context, a } = scene({ running: true, view: view("source", { state: "opened" }) }, {});
    const closing = closeSource(context);
    await waitFor("the question", () => Promise.resolve(a.asked[0]), { timeout: 5000 });
    expect(a.asked).toEqual(['abort {"sourceAborted":false}']);
    a.end.view = view("source", { state: "aborted" });
    expect(await closing).toBe("a has closed it (aborted)");
  });

  test("what the operator had brought back was closed then, though its verdict is released", async () => {
    const { context, a } = scene({ view: view("source", { state: "reclaimed", verdict: "released" }) }, {});
    expect(await closeSource(context)).toBe("a has closed it (reclaimed)");
    expect(a.asked).toEqual([]);
  });

  test("what it released is nobody's to abort", async () => {
    const { context } = scene({ view: view("source", { state: "released", verdict: "released" }) }, {});
    await expect(closeSource(context)).rejects.toMatchObject({ code: "IN_DOUBT", exit: 6 });
  });

  test("silence is no answer", async () => {
    const { context } = scene({ view: null }, {});
    await expect(closeSource(context)).rejects.toThrow("a does not answer; its lock on counter stays");
  });
});
