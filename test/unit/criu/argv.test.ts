import { expect, test } from "@jest/globals";
import {
  checkArgv,
  cpuinfoCheckArgv,
  cpuinfoDumpArgv,
  dumpArgv,
  featureArgv,
  preDumpArgv,
  restoreArgv,
  versionArgv,
} from "../../../src/criu/argv.js";

const images = { dir: "/images/final" };
const run = { imagesDir: "/images/final", workDir: "/state/m", logFile: "dump.log" };

test("a dump kills the tree unless the hook says no, closes connections and waits for nobody", () => {
  expect(dumpArgv({ ...run, images, rootPid: 1000, timeoutS: 20 })).toEqual([
    "/usr/sbin/criu",
    "dump",
    "--no-default-config",
    "--unprivileged",
    "--images-dir",
    "/images/final",
    "--work-dir",
    "/state/m",
    "--log-file",
    "dump.log",
    "-v3",
    "--action-script",
    "/usr/lib/fastmig/hold",
    "--tree",
    "1000",
    "--tcp-close",
    "--file-locks",
    "--network-lock",
    "skip",
    "--skip-in-flight",
    "--ghost-limit",
    "268435456",
    "--timeout",
    "20",
  ]);
});

test("a dump after rounds has the kernel's marks heeded, relative to its own directory", () => {
  const plain = dumpArgv({ ...run, images, rootPid: 1000, timeoutS: 20 });
  const built = dumpArgv({ ...run, images, rootPid: 1000, timeoutS: 20, parent: "../3" });
  expect(built).toEqual([...plain, "--track-mem", "--prev-images-dir", "../3"]);
});

test("a round leaves the tree running and its connections alone", () => {
  const options = { ...run, imagesDir: "/images/2", logFile: "round.log", hook: "/bin/true" };
  const words = preDumpArgv({ ...options, rootPid: 1000, timeoutS: 10, mode: "read", parent: "../1" });
  expect(words).toEqual([
    "/usr/sbin/criu",
    "pre-dump",
    "--no-default-config",
    "--unprivileged",
    "--images-dir",
    "/images/2",
    "--work-dir",
    "/state/m",
    "--log-file",
    "round.log",
    "-v3",
    "--action-script",
    "/bin/true",
    "--tree",
    "1000",
    "--track-mem",
    "--pre-dump-mode",
    "read",
    "--timeout",
    "10",
    "--prev-images-dir",
    "../1",
  ]);
  expect(preDumpArgv({ ...options, rootPid: 1, timeoutS: 10, mode: "splice" })).not.toContain(
    "--prev-images-dir",
  );
});

test("a restore gets our pipes in the place of the dumped ones", () => {
  const pipes = [
    { fd: 10, inode: 77 },
    { fd: 11, inode: 78 },
  ];
  const options = {
    workDir: "/state/m",
    logFile: "restore.log",
    pidfile: "/state/m/pid",
    pipes,
    hook: "/bin/true",
  };
  expect(restoreArgv({ ...options, images: { dir: "/images/final" } })).toEqual([
    "/usr/sbin/criu",
    "restore",
    "--no-default-config",
    "--unprivileged",
    "--images-dir",
    "/images/final",
    "--work-dir",
    "/state/m",
    "--log-file",
    "restore.log",
    "-v2",
    "--action-script",
    "/bin/true",
    "--restore-detached",
    "--pidfile",
    "/state/m/pid",
    "--cpu-cap=none",
    "--tcp-close",
    "--file-locks",
    "--inherit-fd",
    "fd[10]:pipe:[77]",
    "--inherit-fd",
    "fd[11]:pipe:[78]",
  ]);
  const ahead = restoreArgv({ ...options, images: { toldIn: "/state/m/gate" } });
  expect(ahead).toContain("--no-default-config");
  expect(ahead.join(" ")).toContain("--config /state/m/gate");
  expect(ahead).not.toContain("--images-dir");
});

test("no command line leaves the dumped tree running or gives it CRIU's session", () => {
  const words = dumpArgv({ ...run, images, rootPid: 1, timeoutS: 10 });
  for (const word of ["--leave-running", "-R", "--leave-stopped", "--shell-job", "-j"])
    expect(words).not.toContain(word);
});

test("what is asked before a migration", () => {
  expect(checkArgv()).toEqual(["/usr/sbin/criu", "check", "--no-default-config", "--unprivileged"]);
  expect(featureArgv("mem_dirty_track").slice(1)).toEqual([
    "check",
    "--no-default-config",
    "--unprivileged",
    "--feature",
    "mem_dirty_track",
  ]);
  expect(versionArgv("/opt/criu")).toEqual(["/opt/criu", "--version"]);
  expect(cpuinfoDumpArgv("/i").slice(1, 3)).toEqual(["cpuinfo", "dump"]);
  expect(cpuinfoCheckArgv("/i").slice(-2)).toEqual(["--images-dir", "/i"]);
});
