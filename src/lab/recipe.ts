import type { Argv } from "../argv.js";

/** Raised when the shape of what is built changes without its words changing. */
const version = 1;

/** CRIU of trixie cannot dump TCP sockets on kernels from 6.16 on; sid's can, and needs these of sid only. */
const fromSid = ["criu", "libcompel1", "libcriu2", "libnl-3-200", "libnet9"];

const pins = `\
Package: *
Pin: release n=sid
Pin-Priority: -1

Package: ${fromSid.join(" ")}
Pin: release n=sid
Pin-Priority: 990
`;

const nodePackages = [
  ...[
    "openssh-server",
    "podman",
    "runc",
    "crun",
    "netavark",
    "aardvark-dns",
    "nftables",
    "iproute2",
    "iputils-ping",
  ],
  ...[
    "mount",
    "tini",
    "sudo",
    "procps",
    "curl",
    "ca-certificates",
    "tar",
    "python3",
    "redis-server",
    "redis-tools",
  ],
  ...["socat", "iperf3", "criu", "libcriu2", "catatonit"],
];

const leanPaths = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];

/** What mmdebstrap makes: of which suites, with which packages and changes. `$1` in a hook is the new root. */
export interface Recipe {
  version: number;
  /** Suites; the first is the one that is installed. */
  suites: readonly string[];
  packages: readonly string[];
  setup: readonly string[];
  customize: readonly string[];
}

/** The nodes' root file system. Host keys and who may log in are every lab's own. */
export const nodeRecipe: Recipe = {
  version,
  suites: ["trixie", "sid"],
  packages: nodePackages,
  setup: [`mkdir -p "$1/etc/apt/preferences.d"`, `printf '%s' '${pins}' > "$1/etc/apt/preferences.d/criu"`],
  customize: [
    `rm -f "$1"/etc/ssh/ssh_host_*`,
    `chroot "$1" useradd --create-home --shell /bin/bash --password '*' ops`,
    `mkdir -p "$1/mnt" "$1/var/lib/fastmig"`,
  ],
};

/** The container base image: what Debian publishes as `debian:trixie-slim`, near enough. */
export const baseRecipe: Recipe = { version, suites: ["trixie"], packages: [], setup: [], customize: [] };

/**
 * Where QEMU runs: a root of its own, so that this machine needs none, and so that it is one that was tried.
 * Bookworm's (7.2) computes flags wrong when it emulates: a guest's kernel dies of it within minutes.
 */
export const qemuRecipe: Recipe = {
  ...baseRecipe,
  packages: ["qemu-system-x86", "util-linux"],
};

export interface Source {
  mirror: string;
  /** Lines of an apt.conf. */
  options: readonly string[];
}

/** mmdebstrap's command line. A sid that nobody refreshed counts as expired, so its age is not minded. */
export function mmdebstrap(
  recipe: Recipe,
  source: Source,
  format: "directory" | "tar",
  target: string,
): Argv {
  const options = ['Acquire::Check-Valid-Until "false";', 'Acquire::Retries "3";', ...source.options];
  return [
    ...["mmdebstrap", "--variant=minbase", "--mode=root", `--format=${format}`],
    ...options.map((option) => `--aptopt=${option}`),
    ...leanPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...recipe.setup.map((hook) => `--setup-hook=${hook}`),
    ...recipe.customize.map((hook) => `--customize-hook=${hook}`),
    ...recipe.packages.map((name) => `--include=${name}`),
    recipe.suites[0] ?? "trixie",
    target,
    ...recipe.suites.map((suite) => `deb ${source.mirror} ${suite} main`),
  ];
}
