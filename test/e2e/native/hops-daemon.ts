/**
 * Stands in the daemon's place in one container of a row: takes the tree over from the container before it,
 * lets it fork, dumps it for the next one and ends. HOP is the container's number, HOPS the last one's.
 * Says what it saw as JSON on the last line of its stderr.
 */
import {
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
  existsSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { dumpArgv, restoreArgv } from "../../../src/criu/argv.js";
import {
  capability,
  connectInit,
  inheritedPipeFds,
  type ExitEvent,
} from "../../../src/daemon/init-client.js";
import { waitFor } from "../../../src/wait.js";

const uid = 1000;
const dir = process.env.FASTMIG_STATE ?? "";
const hop = Number(process.env.HOP);
const last = Number(process.env.HOPS);
const soon = { timeout: 20_000, interval: 5 };
const exits: ExitEvent[] = [];
const init = connectInit(3, {
  exited: (event) => void exits.push(event),
  signal: () => process.exit(1),
  lost: () => process.exit(1),
});

interface Handed {
  root: number;
  highest: number;
  workers: number[];
  pipes: { stdout: number; stderr: number };
}

const handedBy = (from: number): Handed =>
  JSON.parse(readFileSync(join(dir, `handed-${from}`), "utf8")) as Handed;

function ownDirectory(name: string): string {
  const path = join(dir, name);
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, uid, uid);
  return path;
}

interface Process {
  pid: number;
  tids: number[];
  command: string;
}

/** Processes of the service's user, with their threads; CRIU and its hook are the user's too. */
function tree(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => processOf(Number(pid)))
    .filter(({ command }) => !/criu|hold/.test(command));
}

/** None if it is another user's, or ended since it was listed: the service's `sleep` lives for 20 ms. */
function processOf(pid: number): Process[] {
  try {
    if (statSync(`/proc/${pid}`).uid !== uid) return [];
    const tids = readdirSync(`/proc/${pid}/task`).map(Number);
    return [{ pid, tids, command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") }];
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

const workers = (): number[] =>
  tree()
    .filter(({ command }) => command === "sleep 1000 ")
    .map(({ pid }) => pid);

async function criu(
  name: string,
  pid: number,
  argv: readonly string[],
  more: Record<string, string>,
): Promise<ExitEvent> {
  const spawned = await init.spawn({
    name,
    uid,
    gid: uid,
    pid,
    ambient: [capability.SETPCAP, capability.SYS_PTRACE, capability.CHECKPOINT_RESTORE],
    cwd: "/",
    stdio: { file: join(dir, `${name}-${hop}.out`) },
    inheritPipes: true,
    argv,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", XDG_RUNTIME_DIR: join(dir, "cache"), ...more },
  });
  return waitFor(
    `the end of ${name}`,
    () => Promise.resolve(exits.find((exit) => exit.pid === spawned.pid && exit.name === name)),
    soon,
  );
}

async function decide(hold: string, verdict: string): Promise<void> {
  await waitFor("the hook", () => Promise.resolve(existsSync(join(hold, "held")) ? true : undefined), soon);
  if (verdict === "released\n") handOver();
  writeFileSync(join(hold, ".written"), verdict);
  linkSync(join(hold, ".written"), join(hold, "verdict"));
}

let pipes = await init.pipes();

/** While it is frozen: its PIDs do not change any more. */
function handOver(): void {
  const frozen = tree();
  const highest = Math.max(...frozen.flatMap(({ tids }) => tids));
  const root = Math.min(...frozen.map(({ pid }) => pid));
  writeFileSync(join(dir, `handed-${hop}`), JSON.stringify({ root, highest, workers: workers(), pipes }));
}

async function start(): Promise<number> {
  await init.moveCursor(999);
  const script = `n=0; while n=$((n+1)); do
    if [ -e ${dir}/fork ]; then rm ${dir}/fork; sleep 1000 & fi
    echo tick $n; sleep 0.02; done`;
  const { pid } = await init.spawn({
    name: "service",
    uid,
    gid: uid,
    cwd: "/",
    stdio: "service",
    argv: ["bash", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
  });
  return pid;
}

async function takeOver(from: Handed): Promise<number> {
  await init.moveCursor(from.highest + 1);
  pipes = await init.pipes();
  const hold = ownDirectory(`restored-${hop}`);
  const argv = restoreArgv({
    images: { dir: join(dir, `images-${hop - 1}`) },
    workDir: hold,
    logFile: join(hold, "restore.log"),
    pidfile: join(hold, "pid"),
    pipes: (["stdout", "stderr"] as const).map((name) => ({
      fd: inheritedPipeFds[name],
      inode: from.pipes[name],
    })),
  });
  const ended = criu("restore", 200, argv, {
    FASTMIG_HOLD: hold,
    FASTMIG_STDOUT_INODE: String(pipes.stdout),
    FASTMIG_STDERR_INODE: String(pipes.stderr),
    FASTMIG_EXPECT_STDOUT: "1",
    FASTMIG_EXPECT_STDERR: "1",
  });
  await decide(hold, "running\n");
  const { end } = await ended;
  if (end.kind !== "exited" || end.code !== 0)
    throw new Error(readFileSync(join(hold, "restore.log"), "utf8").slice(-3000));
  return from.root;
}

async function dump(root: number): Promise<ExitEvent> {
  const images = ownDirectory(`images-${hop}`);
  const hold = ownDirectory(`dumped-${hop}`);
  const argv = dumpArgv({
    images: { dir: images },
    workDir: hold,
    logFile: join(hold, "dump.log"),
    rootPid: root,
    timeoutS: 10,
  });
  const ended = criu("dump", 0, argv, { FASTMIG_HOLD: hold });
  await decide(hold, "released\n");
  const { end } = await ended;
  if (end.kind !== "exited" || end.code !== 0)
    throw new Error(readFileSync(join(hold, "dump.log"), "utf8").slice(-3000));
  return waitFor("the root's end", () => Promise.resolve(exits.find(({ pid }) => pid === root)), soon);
}

async function live(): Promise<void> {
  if (hop === 0) {
    chownSync(dir, uid, uid);
    ownDirectory("cache");
  }
  const before = hop === 0 ? undefined : handedBy(hop - 1);
  const root = before === undefined ? await start() : await takeOver(before);
  const taken = workers();
  const known = (await init.list()).map(({ pid }) => pid);
  writeFileSync(join(dir, "fork"), "");
  await waitFor("the fork", () => Promise.resolve(workers().length > taken.length ? true : undefined), soon);
  const now = workers();
  const end = hop === last ? undefined : await dump(root);
  writeSync(
    2,
    `\n${JSON.stringify({ hop, root, known, handed: before?.workers, highest: before?.highest, taken, now, end })}\n`,
  );
}

await live().then(
  () => init.shutdown(0),
  (error: unknown) => {
    writeSync(2, `${String(error)}\n`);
    return init.shutdown(1);
  },
);
