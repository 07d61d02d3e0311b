import { expect, test } from "@jest/globals";
import { groupMount, isVersion1, nodeGroup, parseHierarchies } from "../../../src/lab/cgroups.js";

const hybrid = `\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 24 0:26 / /sys/fs/cgroup rw,relatime shared:5 - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:6 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup rw,nsdelegate`;

const unified = "33 30 0:29 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate";

test("hybrid cgroups", () => {
  const all = parseHierarchies(hybrid);
  expect(all).toEqual([
    { mountpoint: "/sys/fs/cgroup/cpu,cpuacct", options: "cpu,cpuacct" },
    { mountpoint: "/sys/fs/cgroup/systemd", options: "none,name=systemd" },
    { mountpoint: "/sys/fs/cgroup/unified", options: null },
  ]);
  expect(isVersion1(all)).toBe(true);
  expect(all.map((each) => groupMount(each, all))).toEqual(all.map(({ mountpoint }) => mountpoint));
});

test("version 2 alone", () => {
  const all = parseHierarchies(unified);
  expect(isVersion1(all)).toBe(false);
  expect(all.map((each) => [groupMount(each, all), nodeGroup(each, "lab-1", "a")])).toEqual([
    ["/sys/fs/cgroup", "/sys/fs/cgroup/fastmig-lab-1/a"],
  ]);
});
