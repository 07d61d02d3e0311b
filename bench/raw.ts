import { type Argv } from "../src/argv.js";
import { waitFor } from "../src/wait.js";
import { type NodeName, type Stage } from "../test/support/stage.js";
import { workloadsImage } from "../test/support/workloads/image.js";

/** What the same move costs without any of us, in milliseconds: CRIU, one plain TCP connection, CRIU. */
export interface RawMove {
  dump: number;
  copy: number;
  restore: number;
  bytes: number;
}

const container = "bench-raw";
const port = 9000;
/** On the node's /run, which is a tmpfs, and in the container under the same path. */
const place = "/run/bench";
const images = `${place}/images`;
const capabilities = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"].flatMap((name) => ["--cap-add", name]);
const criu = [
  "--no-default-config",
  "--unprivileged",
  "--network-lock",
  "skip",
  "--tcp-close",
  "--skip-in-flight",
  "-D",
  images,
];

/** PIDs that the container at the other end has not used: the restore needs them free. */
const freePids =
  "import os\nwhile (pid := os.fork()) < 1000:\n  if pid == 0: os._exit(0)\n  os.waitpid(pid, 0)\nos.waitpid(pid, 0)";

export async function rawMove(stage: Stage, megabytes: number): Promise<RawMove> {
  await Promise.all([prepare(stage, "a"), prepare(stage, "b")]);
  const pid = await startService(stage, megabytes);
  const dump = await timed(stage, "a", ["criu", "dump", ...criu, "-o", "dump.log", "-t", pid]);
  const { ms: copy, bytes } = await copyImages(stage);
  const restore = await timed(stage, "b", ["criu", "restore", ...criu, "-o", "restore.log", "-d"]);
  for (const node of ["a", "b"] as const) await remove(stage, node);
  return { dump, copy, restore, bytes };
}

/** A container as ours are, with nothing in it, and CRIU's feature cache warm. */
async function prepare(stage: Stage, node: NodeName): Promise<void> {
  await remove(stage, node);
  await stage.on(node, "mkdir", "-p", images);
  const mounts = ["-v", `${place}:${place}`, "--tmpfs", "/run/criu", "-e", "XDG_RUNTIME_DIR=/run/criu"];
  const options = ["--user", "0", "--security-opt", "seccomp=unconfined", ...capabilities, ...mounts];
  await stage.on(
    node,
    "podman",
    "run",
    "-d",
    "--name",
    container,
    "--entrypoint",
    "sleep",
    ...options,
    workloadsImage,
    "infinity",
  );
  await inside(stage, node, ["sh", "-c", "criu check --unprivileged || true"]);
}

async function remove(stage: Stage, node: NodeName): Promise<void> {
  await stage.on(node, "podman", "rm", "--force", "--ignore", "--time", "0", container);
  await stage.on(node, "rm", "-rf", place);
}

async function startService(stage: Stage, megabytes: number): Promise<string> {
  await inside(stage, "a", ["python3", "-c", freePids]);
  const service = `echo $$ > ${place}/pid; exec python3 -B /srv/pattern.py raw 8100 ${megabytes} </dev/null >/dev/null 2>&1`;
  await stage.on("a", "podman", "exec", "-d", container, "setsid", "sh", "-c", service);
  const answers = (): Promise<string> =>
    inside(stage, "a", [
      "python3",
      "-c",
      "import urllib.request as u; u.urlopen('http://127.0.0.1:8100/identity')",
    ]);
  await waitFor("the raw service", answers, { timeout: 30_000, interval: 200 });
  return (await stage.on("a", "cat", `${place}/pid`)).trim();
}

/** The same bytes, in one file each way, so that nothing but the connection counts. */
async function copyImages(stage: Stage): Promise<{ ms: number; bytes: number }> {
  const [from, to] = [`${place}/sent`, `${place}/received`];
  await stage.on("a", "sh", "-c", `cat ${images}/*.img > ${from}`);
  const receive = `socat -u -b 1048576 TCP-LISTEN:${port},reuseaddr CREATE:${to}; date +%s%N`;
  const received = stage.on("b", "sh", "-c", receive);
  await waitFor("socat to listen", () => stage.on("b", "sh", "-c", `ss -ltn | grep -q :${port}`), {
    timeout: 10_000,
  });
  const send = `date +%s%N; socat -u -b 1048576 FILE:${from} TCP:${stage.address("b")}:${port}`;
  const began = await stage.on("a", "sh", "-c", send);
  const ms = (Number(await received) - Number(began)) / 1e6;
  const bytes = Number(await stage.on("b", "stat", "-c", "%s", to));
  await cutIntoFiles(stage);
  return { ms, bytes };
}

/** Cuts what was received into the files that the restore wants: not timed. */
async function cutIntoFiles(stage: Stage): Promise<void> {
  const sizes = await stage.on("a", "sh", "-c", `cd ${images} && stat -c '%s %n' *.img`);
  const script = `import sys
received = open("${place}/received", "rb")
for line in sys.argv[1].split("\\n"):
  size, name = line.split(" ")
  open("${images}/" + name, "wb").write(received.read(int(size)))`;
  await stage.on("b", "python3", "-c", script, sizes.trim());
}

function inside(stage: Stage, node: NodeName, argv: Argv): Promise<string> {
  return stage.on(node, "podman", "exec", container, ...argv);
}

/** Milliseconds from its start to its end, by a clock in the container: starting `podman exec` does not count. */
async function timed(stage: Stage, node: NodeName, argv: Argv): Promise<number> {
  const script =
    'begin=$(date +%s%N); "$@" >&2; code=$?; end=$(date +%s%N); echo $((end - begin)); exit $code';
  return Number(await inside(stage, node, ["sh", "-c", script, "sh", ...argv])) / 1e6;
}
