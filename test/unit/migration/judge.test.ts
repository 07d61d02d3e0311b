import { expect, test } from "@jest/globals";
import type { MigrationView } from "../../../src/daemon/api.js";
import { isOnlyCopy, judge, lacksAnswer, proofToCarry, type Seen } from "../../../src/migration/judge.js";
import { view } from "../../support/migration/facts.js";

const source = (state: MigrationView["state"], verdict: MigrationView["verdict"] = null): Seen =>
  view("source", { state, verdict });
const destination = (state: MigrationView["state"], verdict: MigrationView["verdict"] = null): Seen =>
  view("destination", { state, verdict });

test.each<[string, Seen, Seen, string]>([
  ["nothing has begun", source("opened"), destination("opened"), "open"],
  ["frozen", source("held"), destination("receiving"), "open"],
  ["held at both ends", source("held"), destination("prepared"), "open"],
  ["the destination gave up, the source does not know yet", source("held"), destination("discarded"), "open"],
  ["the destination is silent, the source has decided nothing", source("held"), "silent", "open"],
  ["the source let go", source("released"), destination("prepared"), "released"],
  ["the source let go, nobody hears from the destination", source("released"), "silent", "released"],
  ["the source let go, the destination has nothing", source("released"), destination("discarded"), "inDoubt"],
  ["the source let go, the destination cannot", source("released"), destination("inDoubt"), "inDoubt"],
  ["on its way to run", "silent", destination("resuming"), "released"],
  ["it runs, the source is silent", "silent", destination("running"), "committed"],
  ["it runs", source("released"), destination("running"), "committed"],
  ["closed after it ran", "unknown", destination("confirmed", "running"), "committed"],
  ["held, the other in doubt: the source still decides", source("held"), destination("inDoubt"), "open"],
  ["taken back", source("aborted"), destination("prepared"), "rolledBack"],
  ["taken back, the destination is gone", source("reclaimed"), "silent", "rolledBack"],
  ["held and nobody to ask", "silent", destination("prepared"), "inDoubt"],
  ["nobody answers", "silent", "silent", "inDoubt"],
  ["the source knows nothing", "unknown", destination("prepared"), "inDoubt"],
])("%s", (_title, theirs, ours, judgement) => {
  expect(judge(theirs, ours)).toBe(judgement);
});

test("a proof is carried over only to a destination that waits for it", () => {
  const proof = { id: "01JCXZ0000000000000000000A", epoch: 3, kind: "dead" as const, pids: [1000] };
  const released = view("source", { state: "released", proof });
  expect(proofToCarry(released, destination("prepared"))).toEqual(proof);
  expect(proofToCarry(released, destination("inDoubt"))).toEqual(proof);
  expect(proofToCarry(released, destination("running"))).toBeNull();
  expect(proofToCarry(source("held"), destination("prepared"))).toBeNull();
  expect(proofToCarry(released, "silent")).toBeNull();
});

test.each<[string, Seen, boolean]>([
  ["prepared", destination("prepared"), true],
  ["restoring", destination("restoring"), true],
  ["in doubt", destination("inDoubt"), true],
  ["still receiving", destination("receiving"), false],
  ["discarded", destination("discarded"), false],
  ["silent", "silent", false],
])("a source that holds lacks but the answer of a destination that is %s: %#", (_title, ours, lacks) => {
  expect(lacksAnswer(source("held"), ours)).toBe(lacks);
  expect(lacksAnswer(source("asking"), ours)).toBe(lacks);
  expect(lacksAnswer(source("dumping"), ours)).toBe(false);
});

test.each<[string, Seen, Seen, boolean]>([
  ["frozen and alive", source("held"), destination("prepared"), false],
  ["its container was restarted", source("asking"), destination("prepared"), true],
  ["restarted, and nobody hears from the other", source("asking"), "silent", true],
  ["restarted, and the other never had it all", source("asking"), destination("receiving"), false],
  ["restarted, and the other knows nothing", source("asking"), "unknown", false],
  ["it decided", source("releasing"), destination("prepared"), false],
])("the only copy may be the destination's: %s", (_title, theirs, ours, only) => {
  expect(isOnlyCopy(theirs, ours)).toBe(only);
});
