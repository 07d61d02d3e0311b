import { expect, test } from "@jest/globals";
import {
  checkArgv,
  cpuinfoCheckArgv,
  cpuinfoDumpArgv,
  dumpArgv,
  restoreArgv,
  versionArgv,
} from "../../../src/criu/argv.js";

const run = { imagesDir: "/images/final", workDir: "/state/m", logFile: "dump.log" };

test("a dump kills the tree unless the hook says no, closes connections and waits for nobody", () => {
  expect(dumpArgv({ ...run, rootPid: 1000, timeoutS: 20 })).toEqual([
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

test("a restore gets our pipes in the place of the dumped ones", () => {
  const pipes = [
    { fd: 10, inode: 77 },
    { fd: 11, inode: 78 },
  ];
  expect(
    restoreArgv({ ...run, logFile: "restore.log", pidfile: "/state/m/pid", pipes, hook: "/bin/true" }),
  ).toEqual([
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
    "-v3",
    "--action-script",
    "/bin/true",
    "--restore-detached",
    "--pidfile",
    "/state/m/pid",
    "--tcp-close",
    "--file-locks",
    "--inherit-fd",
    "fd[10]:pipe:[77]",
    "--inherit-fd",
    "fd[11]:pipe:[78]",
  ]);
});

test("no command line leaves the dumped tree running or gives it CRIU's session", () => {
  const words = dumpArgv({ ...run, rootPid: 1, timeoutS: 10 });
  for (const word of ["--leave-running", "-R", "--leave-stopped", "--shell-job", "-j"])
    expect(words).not.toContain(word);
});

test("what is asked before a migration", () => {
  expect(checkArgv()).toEqual(["/usr/sbin/criu", "check", "--no-default-config", "--unprivileged"]);
  expect(versionArgv("/opt/criu")).toEqual(["/opt/criu", "--version"]);
  expect(cpuinfoDumpArgv("/i").slice(1, 3)).toEqual(["cpuinfo", "dump"]);
  expect(cpuinfoCheckArgv("/i").slice(-2)).toEqual(["--images-dir", "/i"]);
});
