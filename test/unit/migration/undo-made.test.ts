import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { Journal, type Entry } from "../../../src/migration/journal.js";
import { closingOf, undoWhatWasMade, whatIsLeft } from "../../../src/migration/undo-made.js";
import { ends, removed, type End, type Ends } from "../../support/migration/ends.js";
import { open, status, view } from "../../support/migration/facts.js";

let scene: Ends | undefined;
let journals = "";
afterEach(async () => {
  await scene?.close();
  await rm(journals, { recursive: true });
});

async function after(source: End, destination: End, entries: Entry[]): Promise<Ends> {
  journals = await mkdtemp(join(tmpdir(), "fastmig-journals-"));
  scene = ends(source, destination);
  const { id, epoch, from, to, by, plan } = open;
  const created = {
    id,
    epoch,
    service: "counter",
    from,
    to,
    by,
    plan,
    pid: 1,
    keepSource: 0,
    sshConfig: null,
  };
  const journal = await Journal.create(journals, { kind: "created", ...created }, "");
  for (const entry of entries) await journal.append(entry);
  scene.context.journal = journal;
  return scene;
}

const madeAll: Entry[] = [
  { kind: "made", node: "a", what: "open", name: open.id },
  { kind: "made", node: "b", what: "open", name: open.id },
  { kind: "made", node: "b", what: "standby", name: "counter" },
];
const aborted: End = { running: true, view: view("source", { state: "aborted" }) };

test("both ends seen closed: nothing is left", async () => {
  const { context, b } = await after(aborted, { view: null }, madeAll);
  const cleared = await undoWhatWasMade(context);
  expect(cleared).toEqual({
    found: ["standby: there is no standby on b", "open: a has closed it (aborted); b has it closed"],
    complete: true,
  });
  expect(closingOf(cleared)).toBe("rolled back");
  expect(whatIsLeft(open.id, cleared)).toEqual([]);
  expect(removed(b)).toHaveLength(1);
});

test("an end that does not answer may be locked: the journal stays unfinished", async () => {
  const lost: End = { view: null, answer: () => ({ kind: "lost", reason: "gone" }) };
  const { context } = await after(aborted, lost, madeAll);
  const cleared = await undoWhatWasMade(context);
  expect(cleared.complete).toBe(false);
  expect(cleared.found).toEqual([
    expect.stringMatching(/^standby: not undone: /),
    expect.stringMatching(/^open: not undone: /),
  ]);
  expect(closingOf(cleared)).toBe("unfinished");
  expect(whatIsLeft(open.id, cleared)).toEqual([
    `something is left over: \`fastmig resume ${open.id}\` removes it`,
  ]);
});

const owner = JSON.stringify({ ...status.ownership, epoch: open.epoch });
test.each<[string, Record<string, string>, boolean]>([
  ["the stopped standby goes", { "open.json": JSON.stringify(open) }, true],
  ["what has become the service's home stays", { "ownership.json": owner }, false],
  [
    "another migration's standby stays",
    { "open.json": JSON.stringify({ ...open, id: "01JCXZ0000000000000000000B" }) },
    false,
  ],
])("%s", async (_title, files, gone) => {
  const { context, b } = await after(aborted, { running: false, files, view: null }, madeAll);
  const { found } = await undoWhatWasMade(context);
  expect(found[0]).toBe(
    gone ? "standby: the standby is removed from b" : "standby: the container counter on b is left as it is",
  );
  expect(removed(b).some((command) => command.startsWith("podman rm"))).toBe(gone);
});
