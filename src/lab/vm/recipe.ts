import { nodeRecipe, type Recipe } from "../recipe.js";

/** Debian's cloud kernel has NVMe and ext4 built in, so that it needs no initrd; soft-dirty, bridges and the rest too. */
const machinePackages = ["linux-image-cloud-amd64", "kmod", "e2fsprogs"];

/** The nodes' root file system with a kernel: what lies on a machine's disk, the same for all. */
export const machineRecipe: Recipe = {
  ...nodeRecipe,
  packages: [...nodeRecipe.packages, ...machinePackages],
  customize: [...nodeRecipe.customize, `rm -f "$1"/boot/initrd*`],
};
