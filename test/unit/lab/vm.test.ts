import { describe, expect, test } from "@jest/globals";
import { parseMemoryFlag } from "../../../src/lab/flags.js";
import { sameDisks } from "../../../src/lab/ground.js";
import { mmdebstrap } from "../../../src/lab/recipe.js";
import { summary, summaryLines } from "../../../src/lab/summary.js";
import type { LabState } from "../../../src/lab/state.js";
import { keptAnswer } from "../../../src/lab/vm/accelerator.js";
import { guestScript, machineLaunchScript } from "../../../src/lab/vm/boot.js";
import { confinedQemu } from "../../../src/lab/vm/confine.js";
import { backGuest, backHost } from "../../../src/lab/vm/network.js";
import { machineArgv } from "../../../src/lab/vm/qemu.js";
import { machineRecipe } from "../../../src/lab/vm/recipe.js";
import { findImage, storePaths } from "../../../src/lab/vm/store.js";

const node = { name: "a", address: "10.77.3.11", dir: "/state/my lab/nodes/a" };

const lab: LabState = {
  schemaVersion: 1,
  launcher: "vm",
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
  machine: {
    disk: "/cache/machine-1/disk.img",
    kernel: "/cache/machine-1/kernel",
    qemu: "/cache/qemu-1",
    accelerator: "tcg",
    memory: 3 * 2 ** 30,
  },
};

test("the machine's root is the nodes' with a kernel", () => {
  const argv = mmdebstrap(machineRecipe, { mirror: "http://m/debian", options: [] }, "directory", "/out");
  expect(argv).toEqual(
    expect.arrayContaining(["--include=podman", "--include=criu", "--include=linux-image-cloud-amd64"]),
  );
});

test("QEMU: the accelerator's processor, two disks, the node's hardware address", () => {
  const words = { name: "lab-a", memory: 3 * 2 ** 30, hardwareAddress: "02:fa:0a:4d:03:0b" };
  const argv = machineArgv({ ...words, accelerator: "tcg" }).join(" ");
  expect(argv).toContain("-accel tcg,thread=multi -cpu max,-erms,-fsrm");
  expect(argv).toContain("-smp 1 -m 3072M");
  expect(argv).toContain("if=none,id=root,file=/mnt/disk.img,format=raw,cache=unsafe");
  expect(argv).toContain("file=/mnt/config.tar,format=raw,cache=unsafe,readonly=on");
  expect(argv).toContain('root=/dev/nvme0n1 rw init=/bin/sh -- -c "mount');
  expect(argv).toContain("clocksource=hpet tsc=unstable");
  expect(argv).toContain("mac=02:fa:0a:4d:03:0b");
  expect(machineArgv({ ...words, accelerator: "kvm" }).join(" ")).toContain("-accel kvm -cpu host");
  const lesser = machineArgv({ ...words, accelerator: "tcg", processor: "Nehalem" }).join(" ");
  expect(lesser).toContain("-accel tcg,thread=multi -cpu Nehalem");
});

describe("QEMU's confinement", () => {
  const given = { root: "/cache/qemu-1", files: { kernel: "/c/my kernel" }, writable: ["disk.qcow2"] };
  const lines = confinedQemu({ ...given, accelerator: "tcg" }, ["qemu", "-name", "x y"]).split("\n");

  test("the files that it is given lie in its stage, its disk is its own", () => {
    expect(lines).toContain("mount --bind '/c/my kernel' /cache/qemu-1/mnt/kernel");
    expect(lines).toContain("chown 65534:65534 /cache/qemu-1/mnt/disk.qcow2");
  });

  test("it ends as nobody in a root of its own", () => {
    expect(lines.at(-2)).toBe(
      "exec chroot /cache/qemu-1 setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs qemu -name 'x y'",
    );
  });

  test("/dev/kvm is there only where it works", () => {
    expect(lines.join("\n")).not.toContain("/dev/kvm");
    expect(confinedQemu({ ...given, accelerator: "kvm" }, ["qemu"])).toContain(
      "/cache/qemu-1/dev/kvm c 10 232",
    );
  });
});

test("launch: the node's cgroups first, then its network", () => {
  expect(machineLaunchScript(lab, node, ["/sys/fs/cgroup/x"])).toBe(`\
set -eu
echo $$ > '/sys/fs/cgroup/x/cgroup.procs'
exec nsenter --net=/run/fastmig-lab/lab-012345/a unshare --mount --propagation private sh '/state/my lab/nodes/a/machine.sh'
`);
});

test("the guest: its address, the back door, /dev as its first program left it", () => {
  const guest = guestScript(node, "kvm");
  expect(guest).toContain("ip addr add 10.77.3.11/24 dev eth0\nip addr add 169.254.11.2/30 dev eth0");
  expect(guest).not.toContain("devtmpfs");
  expect([guest, guestScript(node, "tcg")].map((script) => script.includes("perl"))).toEqual([false, true]);
  expect([backHost(node), backGuest(node)]).toEqual(["169.254.11.1", "169.254.11.2"]);
});

test("KVM's answer holds until the next boot of this machine", () => {
  const kept = '{"boot":"1-2","answer":"kvm"}';
  expect(keptAnswer(kept, "1-2")).toBe("kvm");
  expect(keptAnswer(kept, "3-4")).toBeUndefined();
  expect(keptAnswer("", "1-2")).toBeUndefined();
  expect(keptAnswer('{"boot":"1-2","answer":"xen"}', "1-2")).toBeUndefined();
});

test("disks are kept over the same image only, of the same kind only", () => {
  const { machine: _, ...rest } = lab;
  expect(sameDisks(lab, { ...lab, machine: { ...lab.machine, memory: 1 } })).toBe(true);
  expect(sameDisks(lab, { ...lab, machine: { ...lab.machine, disk: "/cache/machine-2/disk.img" } })).toBe(
    false,
  );
  expect(sameDisks(lab, { ...rest, launcher: "namespaces" })).toBe(false);
});

test("what is said of it", () => {
  expect(summary(lab)).toMatchObject({ kind: "vm", state: "up" });
  expect(summaryLines(lab)[0]).toContain("machines of 3.22GB, emulated (KVM does not work here)");
  expect(parseMemoryFlag(undefined)).toBeUndefined();
  expect(parseMemoryFlag("2GiB")).toBe(2 ** 31);
  expect(() => parseMemoryFlag("much")).toThrow(/^--memory: /);
});

describe("an image out of a store", () => {
  const images = JSON.stringify([
    { id: "i1", layer: "l2", names: ["x"] },
    { id: "i2", layer: "gone" },
  ]);
  const layers = JSON.stringify([{ id: "l1" }, { id: "l2", parent: "l1", created: "today" }, { id: "l3" }]);
  const found = findImage(images, layers, "i1");

  test("its layers, the topmost first, with all that their records say", () => {
    expect(found).toEqual({
      image: { id: "i1", layer: "l2", names: ["x"] },
      layers: [{ id: "l2", parent: "l1", created: "today" }, { id: "l1" }],
    });
  });

  test.each(["i2", "i3"])("%s is not whole, or not there", (id) => {
    expect(findImage(images, layers, id)).toBeUndefined();
  });

  test("a layer that the other side has does not travel, its short name does", () => {
    expect(found && storePaths(found, ["B", "A"], ["l1", "l"])).toEqual([
      "overlay/l2",
      "overlay-layers/l2.tar-split.gz",
      "overlay/l/B",
      "overlay/l/A",
      "overlay-images/i1",
    ]);
  });
});
