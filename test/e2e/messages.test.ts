import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { onStage } from "../support/on-stage.js";
import { patternService } from "../support/services.js";
import { type Ended } from "../support/fastmig.js";
import { workloadsImage } from "../support/workloads/image.js";
import { type Move } from "../support/stage.js";
import { Witness } from "../support/witness.js";

const stage = onStage();

/** A reason why a migration cannot begin: how it comes about, how it goes away, and what is said of it. */
interface Refusal {
  exit: number;
  says: RegExp;
  migrate: () => Promise<Ended>;
}

const cast = (): ReturnType<typeof patternService> => patternService(stage().lab.client.address, 50);
const migrate = async (plan: Promise<string>, ...flags: string[]): Promise<Ended> =>
  stage().fastmig("migrate", await plan, ...flags);

/** Migrates while node b is spoilt by one command, and mends it with another. */
async function spoilt(spoil: string, mend: string, move: Move = {}): Promise<Ended> {
  try {
    await stage().on("b", "sh", "-c", spoil);
    return await migrate(stage().plan([cast()], move));
  } finally {
    await stage().on("b", "sh", "-c", mend);
  }
}

const refusals: Readonly<Record<string, Refusal>> = {
  "a bad plan": {
    exit: exitCodes.usage,
    says: /bad\.yaml:3:\d+ .*nowhere/s,
    migrate: async () => migrate(badPlan()),
  },
  "an unknown host": {
    exit: exitCodes.unreachable,
    says: /node b: no such host: nowhere\.invalid/,
    migrate: () =>
      migrate(stage().plan([cast()], { nodes: { a: { ssh: "a" }, b: { host: "nowhere.invalid" } } })),
  },
  "a wrong host key": {
    exit: exitCodes.unreachable,
    says: /node b: the host key of .* has CHANGED.*SHA256:/s,
    migrate: async () => migrate(stage().plan([cast()]), "--ssh-config", await wrongHostKey()),
  },
  "no engine": {
    exit: exitCodes.preflight,
    says: /podman does not work on b/,
    migrate: () =>
      spoilt("mv /usr/bin/podman /usr/bin/podman.away", "mv /usr/bin/podman.away /usr/bin/podman"),
  },
  "the name is taken": {
    exit: exitCodes.preflight,
    says: /the name pattern is taken on b by a container that is not fastmig's/,
    migrate: () =>
      spoilt(
        `podman create --name pattern --entrypoint sleep ${workloadsImage} 1000`,
        "podman rm --force --time 0 pattern",
      ),
  },
  "a port is taken": {
    exit: exitCodes.preflight,
    says: /port 8000\/tcp is taken on b by/,
    migrate: () =>
      spoilt(
        `podman run -d --name other -p 8000:8000 --entrypoint sleep ${workloadsImage} 1000`,
        "podman rm --force --time 0 other",
      ),
  },
  "the destination is out of memory": {
    exit: exitCodes.preflight,
    says: /b has .* of memory available, the service needs/,
    migrate: () => spoilt(memoryAvailable(50), "umount /proc/meminfo"),
  },
  "the destination is out of disk": {
    exit: exitCodes.preflight,
    says: /b has room for the checkpoint image .* neither in memory .* nor on disk/,
    migrate: () => spoilt(`${memoryAvailable(160)}; ${smallDisk}`, "umount /proc/meminfo /var/lib/fastmig"),
  },
  "a file that the plan does not name": {
    exit: exitCodes.preflight,
    says: /\/opt\/note was written since the container was created/,
    migrate: async () => {
      await stage().on("a", "podman", "exec", "--user", "0", "pattern", "touch", "/opt/note");
      const ended = await migrate(stage().plan([cast()]));
      await stage().on("a", "podman", "exec", "--user", "0", "pattern", "rm", "/opt/note");
      return ended;
    },
  },
  "no direct way": {
    exit: exitCodes.preflight,
    says: /a direct transfer is not possible: a does not reach b at [0-9.]+:7900 \(no answer within 5 s\)/,
    migrate: () =>
      spoilt(`nft -f - << 'E'\n${noTransfers}\nE`, "nft delete table inet spoilt", { transfer: "direct" }),
  },
  "a process whose parent ended": {
    exit: exitCodes.rolledBack,
    says: /processes \d+ left the service's tree \(their parent ended\)/,
    migrate: async () => {
      await stage().on("a", "podman", "exec", "pattern", "setsid", "--fork", "sh", "-c", sleeps);
      const ended = await migrate(stage().plan([cast()]));
      await stage().on("a", "pkill", "-f", "^sleep 4321");
      return ended;
    },
  },
};

test("every refusal says why, has its exit code, and leaves the service as it was; a killed CRIU's child is none", async () => {
  const plan = await stage().plan([cast()]);
  await stage().clients.collect();
  await stage().result("start", plan);
  const witness = await Witness.of(stage(), cast(), "a");
  for (const [name, { exit, says, migrate }] of Object.entries(refusals)) {
    const ended = await migrate();
    expect({ name, exit: ended.exit, stderr: ended.stderr }).toEqual({
      name,
      exit,
      stderr: expect.stringMatching(says),
    });
    expect(await containersOn("b")).toEqual([]);
    await witness.servesOn("a");
  }
  await stage().on("a", "sh", "-c", leaveProbe);
  await stage().migrate(plan);
  await witness.servesOn("b");
  const again = await stage().fastmig("migrate", plan);
  expect(again).toMatchObject({ exit: exitCodes.done, stdout: expect.stringContaining("already there") });
}, 300_000);

test.each([
  ["is missing", "rm /usr/sbin/criu", /the container on a has no CRIU/],
  [
    "is too old",
    "printf '#!/bin/sh\\necho Version: 3.17.1\\n' > /usr/sbin/criu",
    /CRIU 3\.17\.1 in the container on a is older than/,
  ],
])(
  "CRIU %s",
  async (_, change, says) => {
    const image = await changedImage(change);
    const odd = patternService(stage().lab.client.address, 20, { image });
    const plan = await stage().plan([odd]);
    await stage().clients.collect();
    await stage().result("start", plan);
    const witness = await Witness.of(stage(), odd, "a");
    const { exit, stderr } = await stage().fastmig("migrate", plan);
    expect({ exit, stderr }).toEqual({ exit: exitCodes.preflight, stderr: expect.stringMatching(says) });
    await witness.servesOn("a");
  },
  120_000,
);

test("a service that does not run, and a container that knows no daemon", async () => {
  const plan = await stage().plan([cast()]);
  expect(await stage().fastmig("migrate", plan)).toMatchObject({
    exit: exitCodes.preflight,
    stderr: expect.stringContaining("there is no container pattern on a"),
  });
  await stage().on(
    "a",
    "podman",
    "run",
    "-d",
    "--name",
    "pattern",
    "--entrypoint",
    "sleep",
    workloadsImage,
    "1000",
  );
  expect(await stage().fastmig("migrate", plan)).toMatchObject({
    exit: exitCodes.preflight,
    stderr: expect.stringMatching(/does not run under the fastmig daemon.*fastmig start/s),
  });
}, 60_000);

async function badPlan(): Promise<string> {
  const path = join(stage().dir, "bad.yaml");
  await writeFile(
    path,
    "version: 1\nnodes: { a: { ssh: a } }\nservices: { x: { image: y, command: [z], nowhere: 1 } }\n",
  );
  return path;
}

/** An SSH configuration that knows node b by node a's key. */
async function wrongHostKey(): Promise<string> {
  const { lab, dir } = stage();
  const [a = "", b = ""] = (await readFile(join(lab.dir, "known_hosts"), "utf8")).split("\n");
  await writeFile(join(dir, "known_hosts"), [a, b.split(" ")[0] + a.slice(a.indexOf(" ")), ""].join("\n"));
  const config = await readFile(lab.sshConfig, "utf8");
  const path = join(dir, "ssh_config");
  await writeFile(path, config.replace(join(lab.dir, "known_hosts"), join(dir, "known_hosts")));
  return path;
}

const noTransfers =
  "table inet spoilt { chain in { type filter hook prerouting priority -300; tcp dport 7900 drop; }; }";

/** The node then believes that it has so much memory left. */
function memoryAvailable(megabytes: number): string {
  const kib = Math.round((megabytes * 1e6) / 1024);
  return `sed 's/^MemAvailable:.*/MemAvailable: ${kib} kB/' /proc/meminfo > /run/meminfo && mount --bind /run/meminfo /proc/meminfo`;
}

/** It is one that a reboot empties, too: both are said. */
const smallDisk = "mount -t tmpfs -o size=32m tmpfs /var/lib/fastmig && mkdir -p /var/lib/fastmig/pattern";

/** Whoever started it waits for its outputs otherwise. */
const sleeps = "exec sleep 4321 > /dev/null 2>&1";

/** An image of node a that is ours but for one change. */
async function changedImage(change: string): Promise<string> {
  const image = "localhost/changed:latest";
  const entry =
    'ENTRYPOINT ["/usr/lib/fastmig/init", "--", "/usr/lib/fastmig/node", "/usr/lib/fastmig/daemon.mjs"]';
  await stage().on(
    "a",
    "podman",
    "run",
    "--name",
    "change",
    "--user",
    "0",
    "--entrypoint",
    "sh",
    workloadsImage,
    "-c",
    change,
  );
  await stage().on("a", "podman", "commit", "-q", "--change", entry, "--change", "CMD []", "change", image);
  await stage().on("a", "podman", "rm", "change");
  return image;
}

/**
 * A CRIU that is killed while it looks at the kernel leaves a child that sleeps for ever. Its session is CRIU's, whose PID is
 * one that no service has.
 */
const leaveProbe = `nsenter -t $(podman inspect --format '{{.State.Pid}}' pattern) -p sh -c '
  echo 249 > /proc/sys/kernel/ns_last_pid
  exec setsid --fork sh -c "(${sleeps}) & exit"'
  until pid=$(pgrep -f '^sleep 4321'); do sleep 0.05; done
  awk '/^NSsid/ { exit !($NF >= 200 && $NF < 300) }' /proc/$pid/status`;

async function containersOn(node: "a" | "b"): Promise<string[]> {
  const names = await stage().on(node, "podman", "ps", "--all", "--format", "{{.Names}}");
  return names.split("\n").filter((name) => name !== "");
}
