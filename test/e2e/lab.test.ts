import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as lab from "../../src/lab/index.js";
import { waitFor } from "../../src/wait.js";
import { program, root } from "../support/fastmig.js";
import { codeOf } from "../support/lab.js";
import { leftovers } from "../support/leftovers.js";

const name = "selftest";
const minutes = (count: number): number => count * 60_000;

afterAll(() => lab.down(name), minutes(1));

/** Standard output of a command on a node, by plain `ssh -F`. */
async function ssh(state: lab.LabState, node: string, ...words: string[]): Promise<string> {
  const { exit, stdout, stderr } = await program("ssh", [
    "-F",
    state.sshConfig,
    ...words.slice(0, -1),
    node,
    words.at(-1) ?? "",
  ]);
  if (exit !== 0) throw new Error(`ssh ${node}: ${exit} ${stderr}`);
  return stdout;
}

/** Whether a TCP connection to the node's sshd comes about within two seconds. */
async function reaches(state: lab.LabState, from: string, to: string): Promise<boolean> {
  const look = [
    "python3",
    "-c",
    `import socket; socket.create_connection(("${addressOf(state, to)}", 22), 2)`,
  ];
  return lab.inNode(state, from, look).then(
    () => true,
    () => false,
  );
}

function addressOf(state: lab.LabState, node: string): string {
  return state.nodes.find((each) => each.name === node)?.address ?? "nowhere";
}

/** A container that says "served" to everybody who connects to the published port. */
async function serve(state: lab.LabState, node: string, image: string, port: number): Promise<void> {
  const program =
    '$| = 1; $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5); print "ready"; while ($c = $s->accept) { print $c "served"; close $c }';
  const options = ["--detach", "--name", "served", "--publish", `${port}:80`];
  await lab.inNode(state, node, ["podman", "run", ...options, image, "perl", "-MIO::Socket", "-e", program]);
  const ready = async (): Promise<true | undefined> =>
    (await lab.inNode(state, node, ["podman", "logs", "served"])) === "ready" || undefined;
  await waitFor("the server", ready, { timeout: 10_000 });
}

const fetchBy = (address: string): string[] => [
  ...["perl", "-MIO::Socket", "-e"],
  `print IO::Socket::INET->new("${address}")->getline`,
];

/** Bytes per second that arrive over one TCP connection within a second. */
async function throughput(state: lab.LabState, from: string, to: string): Promise<number> {
  await lab.inNode(state, to, ["iperf3", "--server", "--one-off", "--daemon"]);
  const client = ["iperf3", "--client", addressOf(state, to), "--time", "1", "--json"];
  const report = await waitFor("iperf3", () => lab.inNode(state, from, client), { timeout: 10_000 });
  const { end } = JSON.parse(report) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 8;
}

describe("a lab that is up", () => {
  let state: lab.LabState;
  beforeAll(async () => {
    state = await lab.up({ name, nodes: ["a", "b"] });
  }, minutes(30));

  test("plain ssh reaches every node by its name, as root and as a user with sudo", async () => {
    expect(await ssh(state, "a", "hostname; id -un")).toBe("a\nroot");
    expect(await ssh(state, "b", "-l", "ops", "id -un; sudo -n id -un")).toBe("ops\nroot");
  });

  test("a wrong host key is refused", async () => {
    const other = ["-o", `HostKeyAlias=a`, "-o", "BatchMode=yes"];
    const { exit, stderr } = await program("ssh", ["-F", state.sshConfig, ...other, "b", "true"]);
    expect(exit).toBe(255);
    expect(stderr).toContain("Host key verification failed");
  });

  test("up again changes nothing: the nodes go on", async () => {
    const boot = await ssh(state, "a", "stat -c %Y /proc/1");
    expect(await lab.up({ name })).toEqual(state);
    expect(await ssh(state, "a", "stat -c %Y /proc/1")).toBe(boot);
  });

  test(
    "containers: limits, storage on a disk, a published port that everybody reaches",
    async () => {
      const image = await lab.buildImage({
        tag: "localhost/fastmig-selftest:1",
        dockerfile: `FROM ${lab.baseName}\nCOPY word /word\n`,
        context: { word: `${root}/package.json` },
      });
      for (const node of ["a", "a", "b"]) await lab.loadImage(state, node, image);
      const memory =
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max";
      expect(await ssh(state, "a", `podman run --rm --memory 64m ${image.tag} sh -c '${memory}'`)).toBe(
        String(64 << 20),
      );
      expect(await ssh(state, "a", "stat -f -c %T /var/lib/containers /var/lib/fastmig")).not.toMatch(
        /overlay|tmpfs/,
      );
      await serve(state, "a", image.tag, 8080);
      const perl = fetchBy(`${addressOf(state, "a")}:8080`);
      expect(await lab.inNode(state, "b", perl)).toBe("served");
      expect(await lab.inNode(state, "b", ["podman", "run", "--rm", image.tag, ...perl])).toBe("served");
      expect((await lab.inClient(state, perl)).stdout).toBe("served");
      expect((await program("perl", perl.slice(1))).stdout).toBe("served");
      await lab.inNode(state, "a", ["podman", "rm", "--force", "--all", "--time", "0"]);
    },
    minutes(5),
  );

  test(
    "a rate holds both ways, and can be lifted",
    async () => {
      await lab.setRate(state, 20e6);
      for (const [from, to] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        const measured = await throughput(state, from, to);
        expect(measured).toBeGreaterThan(0.8 * 20e6);
        expect(measured).toBeLessThan(1.05 * 20e6);
      }
      expect((await lab.setRate(state, null)).rate).toBeNull();
    },
    minutes(1),
  );

  test(
    "cut and heal: between two nodes, and between a node and the controller",
    async () => {
      expect(await reaches(state, "a", "b")).toBe(true);
      await lab.cut(state, "a", "b");
      expect(await reaches(state, "a", "b")).toBe(false);
      expect(await ssh(state, "b", "echo here")).toBe("here");
      await lab.heal(state, "b", "a");
      expect(await reaches(state, "a", "b")).toBe(true);
      await lab.cut(state, "controller", "a");
      await expect(ssh(state, "a", "-o", "ConnectTimeout=1", "true")).rejects.toThrow(/timed out/);
      expect(await reaches(state, "b", "a")).toBe(true);
      await lab.healAll(state);
      expect(await ssh(state, "a", "echo here")).toBe("here");
    },
    minutes(1),
  );

  test("a small disk is full soon", async () => {
    await lab.limitDisk(state, "b", "/var/lib/fastmig/small", 8 << 20);
    const fill = "dd if=/dev/zero of=/var/lib/fastmig/small/file bs=1M count=16";
    await expect(ssh(state, "b", fill)).rejects.toThrow(/No space left on device/);
    await lab.unlimitDisk(state, "b", "/var/lib/fastmig/small");
    expect(await ssh(state, "b", "ls /var/lib/fastmig/small")).toBe("");
  });

  test(
    "a node that loses its power: everything in it is gone, its disk stays",
    async () => {
      await ssh(
        state,
        "b",
        "echo kept > /var/lib/fastmig/kept; echo gone > /run/gone; setsid sleep 1000 >/dev/null 2>&1 &",
      );
      await lab.stopNode(state, "b");
      expect(await lab.status(name)).toMatchObject({
        state: "partial",
        nodes: [{ up: true }, { up: false }],
      });
      await lab.startNode(state, "b");
      expect(
        await ssh(state, "b", "cat /var/lib/fastmig/kept; ls /run/gone 2>&1; pgrep sleep; true"),
      ).toMatch(/^kept\nls: .*No such file/);
      expect(await ssh(state, "b", "pgrep -c sleep; true")).toBe("0");
    },
    minutes(1),
  );

  test("the client's place in the network", async () => {
    const { stdout } = await lab.inClient(state, ["ip", "-brief", "address", "show", "dev", "eth0"]);
    expect(stdout).toContain(state.client.address);
  });

  test(
    "another node joins, a node leaves; the others stay",
    async () => {
      const boot = await ssh(state, "a", "stat -c %Y /proc/1");
      const more = await lab.up({ name, nodes: ["a", "c"] });
      expect(more.nodes.map((node) => node.name)).toEqual(["a", "c"]);
      expect(await ssh(more, "c", "ping -c 1 -W 1 a > /dev/null; hostname")).toBe("c");
      expect(await ssh(more, "a", "stat -c %Y /proc/1")).toBe(boot);
      expect(existsSync(`${state.dir}/nodes/b`)).toBe(false);
    },
    minutes(1),
  );

  test(
    "two labs stand side by side",
    async () => {
      const other = await lab.up({ name: "selftest-2", nodes: ["a"] });
      try {
        expect(other.network).not.toBe(state.network);
        expect(await ssh(other, "a", "hostname -I")).toContain(addressOf(other, "a"));
        expect(await codeOf(lab.purge())).toBe("LAB_BUSY");
      } finally {
        await lab.down("selftest-2");
      }
      expect(await leftovers("selftest-2")).toEqual([]);
      expect(await ssh(state, "a", "hostname")).toBe("a");
    },
    minutes(1),
  );

  test("a node that is not there is named", async () => {
    expect(await codeOf(lab.inNode(state, "z", ["true"]))).toBe("LAB_NODE");
  });
});
