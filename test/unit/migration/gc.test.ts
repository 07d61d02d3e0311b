import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { collect } from "../../../src/migration/gc.js";
import { isDue, isForgettable, uncleared } from "../../../src/migration/gc-rules.js";
import { Journal, type Entry } from "../../../src/migration/journal.js";
import { ends, removed, type End, type Ends } from "../../support/migration/ends.js";
import { open } from "../../support/migration/facts.js";

const at = "2026-01-01T00:00:00.000Z";
const then = Date.parse(at);
const kept: Journal["kept"] = [{ at, kind: "kept", node: "a", container: "counter.kept-1", until: at }];

test.each([
  [then - 1, false],
  [then, true],
])("a container kept until %#: due %s", (now, due) => {
  expect(isDue({ kept, settledAt: then }, now)).toBe(due);
  expect(isDue({ kept: [], settledAt: then }, now)).toBe(false);
  expect(isDue({ kept, settledAt: null }, now)).toBe(false);
});

test.each<[string, Pick<Journal, "kept" | "settledAt">, number, boolean]>([
  ["settled long ago", { kept: [], settledAt: then }, then + 100, true],
  ["settled lately", { kept: [], settledAt: then }, then + 99, false],
  ["its container is still kept", { kept, settledAt: then }, then + 100, false],
  ["not settled", { kept: [], settledAt: null }, then + 100, false],
])("forgotten after 100 ms: %s", (_title, journal, now, forgotten) => {
  expect(isForgettable(journal, now, 100)).toBe(forgotten);
});

test.each<[string, number | null, string[], number, string[]]>([
  ["when its source's time is over", then, [], then + 50, ["a", "b"]],
  ["not before", then, [], then + 49, []],
  ["once on each node", then, ["a"], then + 50, ["b"]],
  ["not while it is unsettled", null, [], then + 50, []],
])("logs go %s", (_title, settledAt, cleared, now, nodes) => {
  expect(uncleared({ settledAt, cleared, created: { from: "a", to: "b", keepSource: 50 } }, now)).toEqual(
    nodes,
  );
});

describe("collecting", () => {
  let scene: Ends | undefined;
  let root = "";
  afterEach(async () => {
    await scene?.close();
    await rm(root, { recursive: true });
  });

  async function closed(
    source: End,
    destination: End,
    entries: Entry[],
  ): Promise<Ends & { journal: Journal }> {
    root = await mkdtemp(join(tmpdir(), "fastmig-gc-"));
    const { id, epoch, from, to, by, plan } = open;
    const rest = { service: "counter", from, to, by, plan, pid: 1, keepSource: 0, sshConfig: null };
    const journal = await Journal.create(root, { kind: "created", id, epoch, ...rest }, "");
    for (const entry of entries) await journal.append(entry);
    scene = ends(source, destination);
    scene.context.journal = journal;
    return { ...scene, journal };
  }

  const name = "counter.kept-1";
  const done: Entry[] = [
    { kind: "kept", node: "a", container: name, until: at },
    { kind: "closed", outcome: "done" },
  ];
  const later = Date.now() + 1000;
  const logs = `/var/lib/fastmig/counter/migrations/${open.id} /var/lib/fastmig/counter/images/${open.id}`;

  test("a stopped container whose time is over, the logs, and the journal at last", async () => {
    const { context, a, b, journal } = await closed({ running: false }, {}, done);
    const first = await collect(context, later, 3_600_000);
    expect(first.removed).toEqual([`${name} on a`, "its logs on a", "its logs on b"]);
    expect(removed(a)).toEqual([`podman rm --force --ignore --volumes --time 0 ${name}`, logs]);
    expect(removed(b)).toEqual([logs]);
    expect([journal.kept, journal.cleared]).toEqual([[], ["a", "b"]]);
    const second = await collect(context, later, 0);
    expect(second).toEqual({ id: open.id, removed: ["its journal"], left: [] });
    expect(await Journal.list(root)).toEqual([]);
  });

  test("what runs, and what is open, stays; so does the journal", async () => {
    const files = { "open.json": JSON.stringify(open) };
    const { context, a, b } = await closed({ running: true }, { files }, done);
    const { left } = await collect(context, later, 0);
    expect(left).toEqual([`${name} on a: it runs`, "its logs on b: the migration is open there"]);
    expect([removed(a), removed(b)]).toEqual([[logs], []]);
    expect(await Journal.list(root)).toEqual([open.id]);
  });
});
