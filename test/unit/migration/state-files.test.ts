import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  buryByHand,
  createState,
  lastStateOf,
  openMigrationOf,
  ownershipOf,
  removeState,
  verdictOf,
} from "../../../src/migration/state-files.js";
import { LocalNode } from "../../../src/remote/local.js";
import { open } from "../../support/migration/facts.js";

const node = new LocalNode({ name: "here", address: "127.0.0.1", identity: "here", sudo: false });
let state: string;
let place: Parameters<typeof ownershipOf>[0];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "fastmig state '-"));
  place = {
    name: "here",
    node: () => Promise.resolve(node),
    paths: { runtime: state, state, daemonSocket: "", peerSocket: "" },
  };
});
afterEach(() => rm(state, { recursive: true }));

describe("a state directory, by commands on its node", () => {
  test("the lock is created whole, and once", async () => {
    expect(await openMigrationOf(place)).toBeNull();
    expect(await createState(place, "open.json", JSON.stringify(open))).toBe(true);
    expect(await createState(place, "open.json", JSON.stringify({ ...open, plan: "other.yaml" }))).toBe(
      false,
    );
    expect(await openMigrationOf(place)).toEqual(open);
    expect(await readdir(state)).toEqual(["open.json"]);
  });

  test("of many at once one gets it", async () => {
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, at) => createState(place, "open.json", `${at}`)),
    );
    expect(tries.filter((created) => created)).toHaveLength(1);
    expect(tries.indexOf(true)).toBe(Number(await readFile(join(state, "open.json"), "utf8")));
  });

  test("a directory that cannot be written to is an error, not a lock", async () => {
    await expect(createState(place, "nowhere/open.json", "{}")).rejects.toMatchObject({
      code: "COMMAND_FAILED",
    });
  });

  test("what reads otherwise than fastmig writes it is named", async () => {
    await writeFile(join(state, "ownership.json"), '{"epoch":-1}');
    await expect(ownershipOf(place)).rejects.toMatchObject({ code: "STATE_DAMAGED", exit: 6 });
  });

  test("the last state that was journalled of a migration, though another's and a torn line follow", async () => {
    const line = (id: string, state: string): string => `${JSON.stringify({ id, state, event: "held" })}\n`;
    expect(await lastStateOf(place, open.id)).toBeNull();
    const other = "01JCXZ0000000000000000000B";
    await writeFile(join(state, "journal.ndjson"), line(other, "held"));
    expect(await lastStateOf(place, open.id)).toBeNull();
    const ours = line(open.id, "held") + line(open.id, "reclaimed");
    await writeFile(join(state, "journal.ndjson"), `${ours}${line(other, "held")}{"id":"${open.id}","sta`);
    expect(await lastStateOf(place, open.id)).toBe("reclaimed");
  });

  test("a stopped source gets its tombstone and loses its lock and images", async () => {
    await mkdir(join(state, "images", open.id), { recursive: true });
    await mkdir(join(state, "migrations", open.id), { recursive: true });
    await createState(place, "open.json", JSON.stringify(open));
    await createState(place, `migrations/${open.id}/verdict`, "released\n");
    expect(await verdictOf(place, open.id)).toBe("released");
    await buryByHand(place, open.id, 3);
    expect(await ownershipOf(place)).toEqual({ epoch: 3, role: "released", service: null });
    expect((await readdir(state)).sort()).toEqual(["images", "migrations", "ownership.json"]);
    expect(await readdir(join(state, "images"))).toEqual([]);
    await removeState(place, [`migrations/${open.id}`]);
    expect(await verdictOf(place, open.id)).toBeNull();
    await removeState(place, [`nowhere/${open.id}`]);
  });
});
