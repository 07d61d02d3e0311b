import { expect, test } from "@jest/globals";
import { bootScript, launchScript, overlayMounts } from "../../../src/lab/boot.js";
import { nodeFiles, parseLimits } from "../../../src/lab/node-files.js";
import { nodesSnippet, sshConfig } from "../../../src/lab/ssh-config.js";
import type { LabState } from "../../../src/lab/state.js";

const node = { name: "a", address: "10.77.3.11", dir: "/state/my lab/nodes/a" };

const lab: LabState = {
  schemaVersion: 1,
  launcher: "namespaces",
  name: "lab",
  id: "lab-012345",
  dir: "/state/my lab",
  namespaces: "/run/fastmig-lab/lab-012345",
  root: "/cache/root-1",
  network: "10.77.3",
  controller: { address: "10.77.3.1" },
  client: { address: "10.77.3.2" },
  nodes: [node],
  rate: null,
  sshConfig: "/state/my lab/ssh_config",
};

test("ssh_config: aliases, the lab's key, host keys that are verified", () => {
  expect(sshConfig(lab)).toBe(`\
Host a
  HostName 10.77.3.11

Host *
  User root
  IdentityFile "/state/my lab/keys/id_ed25519"
  IdentitiesOnly yes
  UserKnownHostsFile "/state/my lab/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  LogLevel ERROR
`);
});

test("the nodes of a plan", () => {
  expect(nodesSnippet(lab)).toBe("nodes:\n  a: { ssh: a }\n");
});

test("what the nodes are told of each other and of their limits", () => {
  const files = nodeFiles(lab, { nofile: "20000", nproc: "9" }, true);
  expect(files["etc/hosts"]).toContain("10.77.3.11 a\n");
  expect(files["etc/containers/containers.conf"]).toContain('["nofile=20000:20000", "nproc=9:9"]');
  expect(files["etc/containers/containers.conf"]).toContain('runtime = "runc"');
  expect(nodeFiles(lab, { nofile: "1", nproc: "1" }, false)["etc/containers/containers.conf"]).toContain(
    '"crun"',
  );
});

test("hard limits", () => {
  const text = `\
Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                unlimited            processes
Max open files            1024                 20000                files
`;
  expect(parseLimits(text)).toEqual({ nofile: "20000", nproc: "1048576" });
});

test("a node enters its cgroups before its namespaces, and the network by its file", () => {
  const lines = launchScript(lab, node, ["/sys/fs/cgroup/cpu/x"]).trimEnd().split("\n");
  expect(lines).toEqual([
    "set -eu",
    "echo $$ > '/sys/fs/cgroup/cpu/x/cgroup.procs'",
    "exec nsenter --net=/run/fastmig-lab/lab-012345/a unshare --mount --pid --uts --ipc --cgroup --fork sh '/state/my lab/nodes/a/boot.sh'",
  ]);
});

test("a node's disk: an overlay, and real directories for what CRIU dumps", () => {
  expect(overlayMounts("/cache/a:b,c", { dir: "/n" })).toContainEqual([
    ...["mount", "-t", "overlay", "overlay", "-o"],
    "lowerdir=/cache/a\\:b\\,c,upperdir=/n/upper,workdir=/n/work",
    "/n/root",
  ]);
  const script = bootScript("/cache/root-1", node, []);
  expect(script).toContain(
    "mount --bind '/state/my lab/nodes/a/containers' '/state/my lab/nodes/a/root/var/lib/containers'",
  );
  expect(script.trimEnd().split("\n").at(-1)).toBe("exec /usr/bin/tini -s -- /usr/sbin/sshd -D -e");
});
