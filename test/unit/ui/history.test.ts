import { expect, test } from "@jest/globals";
import type { Entry } from "../../../src/migration/journal.js";
import { describeEntry } from "../../../src/ui/history.js";

const id = "01JCXZ0000000000000000000A";
const created = {
  kind: "created" as const,
  id,
  epoch: 3,
  service: "counter",
  from: "a",
  to: "b",
  plan: "plan.yaml",
  by: "ops@desk",
  pid: 0,
  keepSource: 3_600_000,
  sshConfig: null,
};

test.each<[Entry, string]>([
  [{ ...created, version: 1 }, "begun by ops@desk (pid 0): counter from a to b, epoch 3, plan.yaml"],
  [{ kind: "step", step: "standby", state: "begun" }, "standby: begun"],
  [{ kind: "step", step: "switchover", state: "begun", detail: "relay" }, "switchover: begun (relay)"],
  [{ kind: "undone", step: "open", found: "a has closed it" }, "open: undone: a has closed it"],
  [{ kind: "made", node: "b", what: "standby", name: "counter" }, "made the standby counter on b"],
  [{ kind: "made", node: "a", what: "open", name: id }, "opened on a"],
  [{ kind: "taken", by: "ops@desk", pid: 8 }, "taken over by ops@desk (pid 8)"],
  [{ kind: "committed" }, "committed: the destination has the service"],
  [
    { kind: "kept", node: "a", container: "counter.1", until: "2026-01-01T00:00:00Z" },
    "a keeps counter.1 until 2026-01-01T00:00:00Z",
  ],
  [{ kind: "removed", node: "a", container: "counter.1" }, "counter.1 removed on a"],
  [{ kind: "cleared", node: "b" }, "its logs removed on b"],
  [{ kind: "closed", outcome: "in doubt" }, "closed: in doubt"],
])("%j reads as %s", (entry, text) => {
  expect(describeEntry(entry)).toBe(text);
});
