import type { Argv } from "../../argv.js";
import { stage } from "./confine.js";

export type Accelerator = "kvm" | "tcg";

export interface MachineWords {
  name: string;
  accelerator: Accelerator;
  /** Bytes. */
  memory: number;
  hardwareAddress: string;
  /** QEMU's model; undefined: the best. */
  processor?: string | undefined;
}

/**
 * The best model of each. Without `erms` and `fsrm` the guest's kernel copies eight bytes at a time, not one: emulated, that is twice
 * as fast.
 */
const best: Readonly<Record<Accelerator, string>> = { kvm: "host", tcg: "max,-erms,-fsrm" };
const accelerators: Readonly<Record<Accelerator, string>> = { kvm: "kvm", tcg: "tcg,thread=multi" };

export function processorArgv(accelerator: Accelerator, model = best[accelerator]): Argv {
  return ["-accel", accelerators[accelerator], "-cpu", model];
}

export const sandbox: Argv = [
  "-sandbox",
  "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
];

/** A machine without anything that it does not need; `quiet`, because a serial line is slow. */
const bare: Argv = ["-machine", "q35", "-nodefaults", "-display", "none", "-monitor", "none", "-no-reboot"];

/**
 * A machine's first program. Who the machine is (name, address, keys) is a tar on the second disk, unpacked at
 * every boot. That disk is of another kind than the first: the kernel looks for NVMe disks all at once, and
 * which of two comes first is chance.
 */
const init =
  "mount -t devtmpfs devtmpfs /dev && modprobe virtio_blk && tar -xf /dev/vda -C / && exec sh /etc/lab/boot.sh";

/**
 * An emulated kernel that is interrupted while it measures its TSC may find 80 MHz for 2.6 GHz: its time then
 * runs 32 times too fast.
 */
const clock: Readonly<Record<Accelerator, Argv>> = { kvm: [], tcg: ["clocksource=hpet", "tsc=unstable"] };

const kernelWords = (accelerator: Accelerator): Argv => [
  ...["console=ttyS0", "quiet", "panic=-1", "net.ifnames=0", "mitigations=off", ...clock[accelerator]],
  ...["root=/dev/nvme0n1", "rw", "init=/bin/sh", "--", "-c", `"${init}"`],
];

/** QEMU's command line: its stage holds `kernel`, `disk.img` and `config.tar`; the console is its standard output. */
export function machineArgv(words: MachineWords): Argv {
  const { name, accelerator, memory, hardwareAddress, processor } = words;
  return [
    "qemu-system-x86_64",
    ...["-name", name, ...bare, ...sandbox, ...processorArgv(accelerator, processor)],
    ...["-smp", "1", "-m", `${Math.ceil(memory / 2 ** 20)}M`, "-serial", "stdio"],
    ...["-kernel", `${stage}/kernel`, "-append", kernelWords(accelerator).join(" ")],
    ...disk("nvme,serial=root", "root", `${stage}/disk.img`, "discard=unmap"),
    ...disk("virtio-blk-pci", "config", `${stage}/config.tar`, "readonly=on"),
    ...["-netdev", "tap,id=net,ifname=tap0,script=no,downscript=no"],
    ...["-device", `virtio-net-pci,netdev=net,romfile=,mac=${hardwareAddress}`],
  ];
}

/**
 * What the machine has written is in this machine's page cache, which outlives QEMU: a flush, which would wait for this
 * machine's disk and everybody who writes to it, makes nothing safer.
 */
const disk = (device: string, id: string, file: string, option: string): Argv => [
  ...["-drive", `if=none,id=${id},file=${file},format=raw,cache=unsafe,${option}`],
  ...["-device", `${device},drive=${id}`],
];
