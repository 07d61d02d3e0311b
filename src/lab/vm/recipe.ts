import { nodeRecipe, type Recipe } from "../recipe.js";

/**
 * The first program of a machine. Who it is (name, address, keys) stands in a tar on the second disk, which
 * is unpacked at every boot: the first disk is the same for all.
 */
const init = `\
#!/bin/sh
set -eu
mount -t devtmpfs -o nosuid devtmpfs /dev
tar -xf /dev/nvme1n1 -C /
exec sh /etc/lab/boot.sh
`;

/** Debian's cloud kernel has NVMe and ext4 built in, so that it needs no initrd; soft-dirty, bridges and the rest too. */
const machinePackages = ["linux-image-cloud-amd64", "kmod", "e2fsprogs"];

/** The nodes' root file system with a kernel: what lies on a machine's disk. */
export const machineRecipe: Recipe = {
  ...nodeRecipe,
  packages: [...nodeRecipe.packages, ...machinePackages],
  customize: [
    ...nodeRecipe.customize,
    `printf '%s' '${init}' > "$1/sbin/lab-init"`,
    `chmod 755 "$1/sbin/lab-init"`,
    `rm -f "$1"/boot/initrd*`,
  ],
};
