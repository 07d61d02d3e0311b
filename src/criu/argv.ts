import type { Argv } from "../argv.js";

export const criuPath = "/usr/sbin/criu";
export const hookPath = "/usr/lib/fastmig/hold";

export interface CriuRun {
  /** Absolute; holds the images, and nothing else where `workDir` is another directory. */
  imagesDir: string;
  /** Absolute; CRIU's working directory, where it writes `stats-dump` and `stats-restore`. */
  workDir: string;
  /** Absolute, or relative to `workDir`. */
  logFile: string;
  /** The action script; CRIU runs it at every stage and names the stage in CRTOOLS_SCRIPT_ACTION. */
  hook?: string;
  /** The images go to, or come from, a streamer whose socket lies in `imagesDir` (CRIU's criu/img-streamer.c). */
  stream?: boolean;
  /** Where CRIU is, if not where Debian has it. */
  criu?: string;
  /** Options of the user's own, after all others. */
  criuOptions?: readonly string[];
}

interface TreeRun extends CriuRun {
  rootPid: number;
  /** Seconds CRIU may take to seize the tasks. */
  timeoutS: number;
  /**
   * The images whose pages it builds on, relative to `imagesDir` (`../3`): CRIU makes the link `parent` of it, which
   * has to hold at the destination too.
   */
  parent?: string;
}

/** How a pre-dump takes the pages: `splice` into pipes while frozen, `read` by process_vm_readv once the tasks run again. */
export type PreDumpMode = "splice" | "read";

export interface PreDumpOptions extends TreeRun {
  mode: PreDumpMode;
}

/** As in `CriuRun`, or the configuration file that says it (`images-dir PATH`); CRIU reads that before it does anything else. */
type Images = { dir: string } | { toldIn: string };

export interface DumpOptions extends Omit<TreeRun, "imagesDir"> {
  images: Images;
  /** Bytes of the largest deleted but still open file that is taken along. */
  ghostLimit?: number;
}

/** A pipe end that we hold open as `fd` while CRIU runs, in the place of the dumped pipe `inode`. */
export interface InheritedPipe {
  fd: number;
  inode: number;
}

export interface RestoreOptions extends Omit<CriuRun, "imagesDir"> {
  images: Images;
  /** Absolute; CRIU writes the root task's PID here. Must not exist yet. */
  pidfile: string;
  /** One entry per dumped pipe: stdout and stderr that share a pipe share an entry. */
  pipes: readonly InheritedPipe[];
  leaveStopped?: boolean;
}

/** What a service's connections, locks and deleted files need, alike at both ends. */
const kept = ["--tcp-close", "--file-locks"];

/**
 * Dumps a tree and kills it, unless the hook says no in `post-dump`.
 * Not among the options, on purpose: `--leave-running` (two copies), `--shell-job` (restored tasks would get
 * CRIU's session: the service leads its own), `--link-remap` (writes links beside the service's files, which
 * the destination lacks), `--ext-unix-sk` (cuts a connection to another process without telling anybody).
 */
export function dumpArgv(options: DumpOptions): Argv {
  return [
    ...common("dump", options, imagesIn(options.images)),
    "--tree",
    String(options.rootPid),
    ...kept,
    // Unprivileged CRIU may not touch the packet filter, and closed connections need no lock.
    "--network-lock",
    "skip",
    // A client that connects while the service is frozen waits in the listening socket's queue;
    // without this the dump fails on it. The client has to connect again.
    "--skip-in-flight",
    "--ghost-limit",
    String(options.ghostLimit ?? 256 * 1024 * 1024),
    "--timeout",
    String(options.timeoutS),
    // What did not change since the parent is skipped only where the kernel was told to watch.
    ...(options.parent === undefined ? [] : ["--track-mem", ...buildsOn(options.parent)]),
    ...(options.criuOptions ?? []),
  ];
}

/**
 * Dumps the memory of a tree that goes on, and has the kernel watch what is written from then on. Aborts (SIGABRT) on a
 * kernel without soft-dirty tracking: ask `featureArgv("mem_dirty_track")` first.
 */
export function preDumpArgv(options: PreDumpOptions): Argv {
  return [
    ...common("pre-dump", options, imagesIn({ dir: options.imagesDir })),
    "--tree",
    String(options.rootPid),
    "--track-mem",
    "--pre-dump-mode",
    options.mode,
    "--timeout",
    String(options.timeoutS),
    ...(options.parent === undefined ? [] : buildsOn(options.parent)),
  ];
}

function buildsOn(parent: string): Argv {
  return ["--prev-images-dir", parent];
}

/** Restores a tree whose root becomes a child of the nearest subreaper, once the hook agrees in `post-restore`. */
export function restoreArgv(options: RestoreOptions): Argv {
  return [
    ...common("restore", options, imagesIn(options.images)),
    "--restore-detached",
    "--pidfile",
    options.pidfile,
    // Preflight compared the processors by what the service may use; CRIU would go by what the source had.
    "--cpu-cap=none",
    ...kept,
    ...options.pipes.flatMap(inheritPipe),
    ...(options.leaveStopped === true ? ["--leave-stopped"] : []),
    ...(options.criuOptions ?? []),
  ];
}

/** `criu check`: warms the feature cache. In a container its exit code says nothing: judge by the canary. */
export function checkArgv(criu = criuPath): Argv {
  return [criu, "check", "--no-default-config", "--unprivileged"];
}

/** Exits 0 where the kernel has the feature, as `mem_dirty_track`. */
export function featureArgv(feature: string, criu = criuPath): Argv {
  return [...checkArgv(criu), "--feature", feature];
}

/** Writes `cpuinfo.img` into the directory. */
export function cpuinfoDumpArgv(imagesDir: string, criu = criuPath): Argv {
  return cpuinfo("dump", imagesDir, criu);
}

/** Exits 0 where this CPU can run what the `cpuinfo.img` in the directory describes. */
export function cpuinfoCheckArgv(imagesDir: string, criu = criuPath): Argv {
  return cpuinfo("check", imagesDir, criu);
}

export function versionArgv(criu = criuPath): Argv {
  return [criu, "--version"];
}

function cpuinfo(verb: "dump" | "check", imagesDir: string, criu: string): Argv {
  return [criu, "cpuinfo", verb, "--no-default-config", "--unprivileged", "--images-dir", imagesDir];
}

type Verb = "dump" | "pre-dump" | "restore";

/**
 * Errors and warnings; of dumps also the way to them. A restore would write two lines for each run of pages: 115,000 of
 * them where 100 MB of scattered pages come in five rounds.
 */
const verbosity: Readonly<Record<Verb, string>> = { dump: "-v3", "pre-dump": "-v3", restore: "-v2" };

function imagesIn(images: Images): Argv {
  return "dir" in images ? ["--images-dir", images.dir] : ["--config", images.toldIn];
}

function common(verb: Verb, run: Omit<CriuRun, "imagesDir">, images: Argv): Argv {
  return [
    run.criu ?? criuPath,
    verb,
    "--no-default-config",
    "--unprivileged",
    ...(run.stream === true ? ["--stream"] : []),
    ...images,
    "--work-dir",
    run.workDir,
    "--log-file",
    run.logFile,
    verbosity[verb],
    "--action-script",
    run.hook ?? hookPath,
  ];
}

/** The colon after `pipe` matters: without it CRIU ignores the key in silence and the service gets a pipe nobody reads. */
function inheritPipe(pipe: InheritedPipe): Argv {
  return ["--inherit-fd", `fd[${pipe.fd}]:pipe:[${pipe.inode}]`];
}
