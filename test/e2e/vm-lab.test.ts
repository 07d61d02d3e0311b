import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as lab from "../../src/lab/index.js";
import { waitFor } from "../../src/wait.js";
import { fastmig, program, root } from "../support/fastmig.js";
import { codeOf } from "../support/lab.js";
import { leftovers } from "../support/leftovers.js";

const name = "selftest-vm";
const minutes = (count: number): number => count * 60_000;

let state: lab.LabState;
let seconds: number;

beforeAll(async () => {
  await lab.up({ name, kind: "vm", nodes: ["a"] });
  await lab.down(name);
  const start = performance.now();
  state = await lab.up({ name, kind: "vm", nodes: ["a", "b"], rate: null });
  seconds = (performance.now() - start) / 1000;
}, minutes(30));

afterAll(() => lab.down(name), minutes(1));

const addressOf = (node: string): string =>
  state.nodes.find((each) => each.name === node)?.address ?? "nowhere";

/** Standard output of a shell's words on a node, by plain `ssh -F`. */
async function ssh(node: string, words: string): Promise<string> {
  const { exit, stdout, stderr } = await program("ssh", ["-F", state.sshConfig, node, words]);
  if (exit !== 0) throw new Error(`ssh ${node}: ${exit} ${stderr}`);
  return stdout;
}

async function reaches(from: string, to: string): Promise<boolean> {
  const look = `import socket; socket.create_connection(("${addressOf(to)}", 22), 3)`;
  return lab.inNode(state, from, ["python3", "-c", look]).then(
    () => true,
    () => false,
  );
}

/** Bytes per second that arrive over one TCP connection within two seconds. */
async function throughput(from: string, to: string): Promise<number> {
  await lab.inNode(state, to, ["sh", "-c", "iperf3 --server --one-off --daemon"]);
  const client = ["iperf3", "--client", addressOf(to), "--time", "2", "--json"];
  const report = await waitFor("iperf3", () => lab.inNode(state, from, client), { timeout: 20_000 });
  const { end } = JSON.parse(report) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 8;
}

const command = (...words: string[]): ReturnType<typeof fastmig> =>
  fastmig(["lab", ...words, "--name", name, "--json"]);

describe("a lab of machines", () => {
  test(
    "is up within a minute, as nobody's processes",
    async () => {
      expect(seconds).toBeLessThan(60);
      expect(await lab.status(name)).toMatchObject({ state: "up", kind: "vm" });
      const { stdout } = await program("ps", ["-o", "user=,args=", "-C", "qemu-system-x86_64"]);
      const ours = stdout.split("\n").filter((line) => line.includes(`-name ${name}-`));
      expect(ours.map((line) => line.split(" ")[0])).toEqual(["nobody", "nobody"]);
    },
    minutes(1),
  );

  test(
    "a kernel of its own, which tracks dirty pages",
    async () => {
      expect(await ssh("a", "uname -r")).toMatch(/deb13-cloud-amd64$/);
      expect(await ssh("a", "criu check --feature mem_dirty_track 2>&1")).toContain(
        "mem_dirty_track is supported",
      );
      expect(await ssh("b", "hostname; stat -f -c %T /var/lib/containers /var/lib/fastmig")).toBe(
        "b\next2/ext3\next2/ext3",
      );
    },
    minutes(1),
  );

  test(
    "its clocks run as fast as ours",
    async () => {
      const look = ["cut", "-d", " ", "-f1", "/proc/uptime"];
      const times = async (node: string): Promise<[number, number]> => {
        const theirs = Number.parseFloat(await lab.inNode(state, node, look));
        return [theirs, performance.now() / 1000];
      };
      for (const node of ["a", "b"]) {
        const [theirs, ours] = await times(node);
        await lab.inNode(state, node, ["sleep", "2"]);
        const [later, now] = await times(node);
        expect((later - theirs) / (now - ours)).toBeLessThan(1.2);
        expect(later - theirs).toBeGreaterThan(1.9);
      }
    },
    minutes(1),
  );

  test(
    "containers: an image past SSH, limits, a published port that everybody reaches",
    async () => {
      const tag = "localhost/fastmig-selftest:1";
      const dockerfile = `FROM ${lab.baseName}\nCOPY word /word\n`;
      const image = await lab.buildImage({ tag, dockerfile, context: { word: `${root}/package.json` } });
      for (const node of ["a", "a", "b"]) await lab.loadImage(state, node, image);
      const memory = `podman run --rm --memory 64m ${tag} cat /sys/fs/cgroup/memory.max`;
      expect(await ssh("a", memory)).toBe(String(64 << 20));
      const serve =
        '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 5); while ($c = $s->accept) { print $c "served"; close $c }';
      const run = [
        "podman",
        "run",
        "--detach",
        "--publish",
        "8080:80",
        tag,
        "perl",
        "-MIO::Socket",
        "-e",
        serve,
      ];
      await lab.inNode(state, "a", run);
      const fetch = [
        "perl",
        "-MIO::Socket",
        "-e",
        `print IO::Socket::INET->new("${addressOf("a")}:8080")->getline`,
      ];
      const served = async (): Promise<string> => (await lab.inClient(state, fetch)).stdout;
      expect(await waitFor("the server", served, { timeout: 20_000 })).toBe("served");
      expect(await lab.inNode(state, "b", fetch)).toBe("served");
      await lab.inNode(state, "a", ["podman", "rm", "--force", "--all", "--time", "0"]);
    },
    minutes(5),
  );

  test(
    "a rate holds both ways, and can be lifted",
    async () => {
      await lab.setRate(state, 10e6);
      for (const [from, to] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        const measured = await throughput(from, to);
        expect(measured).toBeGreaterThan(0.7 * 10e6);
        expect(measured).toBeLessThan(1.05 * 10e6);
      }
      await lab.setRate(state, null);
      expect(await throughput("a", "b")).toBeGreaterThan(20e6);
    },
    minutes(2),
  );

  test(
    "cut and heal, by the commands",
    async () => {
      expect(await command("cut", "a", "b")).toMatchObject({ exit: 0 });
      expect(await reaches("a", "b")).toBe(false);
      expect(await ssh("b", "echo here")).toBe("here");
      expect(await command("heal", "b", "a")).toMatchObject({ exit: 0 });
      expect(await reaches("a", "b")).toBe(true);
      expect(await command("cut", "controller", "a")).toMatchObject({ exit: 0 });
      expect(await lab.inNode(state, "a", ["echo", "by the back door"])).toBe("by the back door");
      expect(await reaches("b", "a")).toBe(true);
      expect(await command("heal", "a")).toMatchObject({ exit: 2 });
      expect(await command("heal")).toMatchObject({ exit: 0 });
      expect(await ssh("a", "echo here")).toBe("here");
    },
    minutes(1),
  );

  test(
    "a small disk is full soon",
    async () => {
      const path = "/var/lib/fastmig/small";
      await lab.limitDisk(state, "b", path, 8 << 20);
      const fill = `dd if=/dev/zero of=${path}/file bs=1M count=16`;
      await expect(ssh("b", fill)).rejects.toThrow(/No space left on device/);
      await lab.unlimitDisk(state, "b", path);
      expect(await ssh("b", `ls ${path}`)).toBe("");
    },
    minutes(1),
  );

  test(
    "kill takes the power, reboot brings the node back: the disk stays, the clock of its boot starts anew",
    async () => {
      await ssh("b", "echo kept > /var/lib/fastmig/kept; sync; echo gone > /run/gone");
      expect(await command("kill", "b")).toMatchObject({ exit: 0 });
      expect(await lab.status(name)).toMatchObject({
        state: "partial",
        nodes: [{ up: true }, { up: false }],
      });
      expect(await codeOf(lab.inNode(state, "b", ["true"]))).toBe("LAB_NODE_DOWN");
      expect(await command("reboot", "b")).toMatchObject({ exit: 0 });
      expect(await ssh("b", "cat /var/lib/fastmig/kept 2>&1; ls /run/gone 2>&1; true")).toMatch(
        /^kept\nls: .*No such/,
      );
      const uptime = async (node: string): Promise<number> =>
        Number.parseFloat(await ssh(node, "cat /proc/uptime"));
      expect(await uptime("b")).toBeLessThan(await uptime("a"));
      await ssh("b", "echo written > /var/lib/fastmig/written");
      expect(await command("reboot", "b")).toMatchObject({ exit: 0 });
      expect(await ssh("b", "cat /var/lib/fastmig/written")).toBe("written");
    },
    minutes(4),
  );

  test(
    "up again changes nothing; the other kind is refused while it is up",
    async () => {
      const boot = await ssh("a", "cat /proc/sys/kernel/random/boot_id");
      expect(await lab.up({ name })).toEqual(state);
      expect(await ssh("a", "cat /proc/sys/kernel/random/boot_id")).toBe(boot);
      expect(await codeOf(lab.up({ name, kind: "namespaces" }))).toBe("LAB_KIND");
    },
    minutes(1),
  );

  test(
    "down leaves nothing",
    async () => {
      await lab.down(name);
      expect(await leftovers(name)).toEqual([]);
    },
    minutes(1),
  );
});
