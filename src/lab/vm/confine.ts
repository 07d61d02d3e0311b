import { commandLine, type Argv } from "../../argv.js";
import { script } from "../boot.js";

/** Who QEMU is on this machine: nobody. */
export const qemuUser = "65534";

/** Where QEMU finds the files that it is given. */
export const stage = "/mnt";

export interface Confinement {
  /** The root file system that QEMU runs in. */
  root: string;
  /** Files of this machine by their names in the stage. */
  files: Readonly<Record<string, string>>;
  /** Files that QEMU may write to as well. */
  writable: readonly string[];
  accelerator: "kvm" | "tcg";
}

/**
 * A script that runs QEMU as nobody in a root of its own, with the files and devices that it is given and
 * nothing else of this machine. It has to be run by root in a mount namespace of its own.
 */
export function confinedQemu({ root, files, writable, accelerator }: Confinement, qemu: Argv): string {
  const at = (path: string): string => `${root}${path}`;
  const user = [`--reuid=${qemuUser}`, `--regid=${qemuUser}`, "--clear-groups", "--no-new-privs"];
  return script(
    [
      ...[stage, "/dev"].map((dir) => ["mount", "-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", at(dir)]),
      ...Object.entries(files).flatMap(([name, file]) => bind(file, at(`${stage}/${name}`))),
      ["mkdir", at("/dev/net")],
      ...[...devices, ...(accelerator === "kvm" ? [kvm] : [])].map(([path, major, minor]) => [
        ...["mknod", "-m", "666", at(path), "c", major, minor],
      ]),
      ...writable.map((name) => ["chown", `${qemuUser}:${qemuUser}`, at(`${stage}/${name}`)]),
      ["exec", "chroot", root, "setpriv", ...user, ...qemu],
    ].map(commandLine),
  );
}

type Device = readonly [path: string, major: string, minor: string];

const kvm: Device = ["/dev/kvm", "10", "232"];
const devices: readonly Device[] = [
  ["/dev/null", "1", "3"],
  ["/dev/urandom", "1", "9"],
  ["/dev/net/tun", "10", "200"],
];

const bind = (from: string, to: string): Argv[] => [
  ["touch", to],
  ["mount", "--bind", from, to],
];
