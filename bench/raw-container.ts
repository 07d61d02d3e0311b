import { type Argv } from "../src/argv.js";
import { waitFor } from "../src/wait.js";
import { type NodeName, type Stage } from "../test/support/stage.js";
import { workloadsImage } from "../test/support/workloads/image.js";

const container = "bench-raw";
const port = 9000;
/** On a tmpfs of the node's, and in the container under the same path. */
export const place = "/run/bench";
export const images = `${place}/images`;
const capabilities = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"].flatMap((name) => ["--cap-add", name]);

/** What all of CRIU's verbs are told; CRIU takes no privileges that a container of ours lacks. */
export const criuOptions = [
  "--no-default-config",
  "--unprivileged",
  "--network-lock",
  "skip",
  "--tcp-close",
  "--skip-in-flight",
];

/** The container's first process: it also takes the place of the parent of what a dump killed, whose PID a restore wants free. */
const reaper = ["-c", "while sleep 1; do :; done"];

/** PIDs that the container at the other end has not used: the restore needs them free. */
const freePids =
  "import os\nwhile (pid := os.fork()) < 1000:\n  if pid == 0: os._exit(0)\n  os.waitpid(pid, 0)\nos.waitpid(pid, 0)";

/** A container as ours are, with nothing in it, and CRIU's feature cache warm. */
export async function prepare(stage: Stage, node: NodeName): Promise<void> {
  await remove(stage, node);
  const tmpfs = `mkdir -p ${place} && mount -t tmpfs -o size=90% bench ${place} && mkdir ${images}`;
  await stage.on(node, "sh", "-c", tmpfs);
  const mounts = ["-v", `${place}:${place}`, "--tmpfs", "/run/criu"];
  // Without breakpoints, as ours: they take as long, and one dump of 60 hangs on an emulated machine.
  const variables = ["XDG_RUNTIME_DIR=/run/criu", "CRIU_FAULT=130"].flatMap((variable) => ["-e", variable]);
  const options = ["--user", "0", "--security-opt", "seccomp=unconfined", ...capabilities];
  await stage.on(
    node,
    "podman",
    "run",
    "-d",
    "--name",
    container,
    "--entrypoint",
    "sh",
    ...options,
    ...mounts,
    ...variables,
    workloadsImage,
    ...reaper,
  );
  await inside(stage, node, ["sh", "-c", "criu check --unprivileged || true"]);
}

export async function remove(stage: Stage, node: NodeName): Promise<void> {
  await stage.on(node, "podman", "rm", "--force", "--ignore", "--time", "0", container);
  await stage.on(node, "sh", "-c", `umount ${place} 2>/dev/null; rm -rf ${place}`);
}

/** Starts a program of /srv that serves HTTP on 8100 in node a's container; its PID, once it answers. */
export async function startService(stage: Stage, program: readonly string[]): Promise<string> {
  await inside(stage, "a", ["python3", "-c", freePids]);
  const service = `echo $$ > ${place}/pid; exec python3 -B ${program.join(" ")} </dev/null >/dev/null 2>&1`;
  await stage.on("a", "podman", "exec", "-d", container, "setsid", "sh", "-c", service);
  const answers = (): Promise<string> =>
    inside(stage, "a", [
      "python3",
      "-c",
      "import urllib.request as u; u.urlopen('http://127.0.0.1:8100/identity')",
    ]);
  await waitFor("the raw service", answers, { timeout: 60_000, interval: 200 });
  return (await stage.on("a", "cat", `${place}/pid`)).trim();
}

/** Sends what one shell command of node a writes to one of node b, over one plain connection. Milliseconds. */
export async function pipeAcross(stage: Stage, from: string, to: string): Promise<number> {
  const receive = `socat -u -b 1048576 TCP-LISTEN:${port},reuseaddr ${to}; date +%s%N`;
  const received = stage.on("b", "sh", "-c", receive);
  await waitFor("socat to listen", () => stage.on("b", "sh", "-c", `ss -ltn | grep -q :${port}`), {
    timeout: 20_000,
  });
  const send = `date +%s%N; ${from} TCP:${stage.address("b")}:${port}`;
  const began = await stage.on("a", "sh", "-c", send);
  return (Number(await received) - Number(began)) / 1e6;
}

export function inside(stage: Stage, node: NodeName, argv: Argv): Promise<string> {
  return stage.on(node, "podman", "exec", container, ...argv);
}

/** Milliseconds from its start to its end, by a clock in the container: starting `podman exec` does not count. */
export async function timed(stage: Stage, node: NodeName, argv: Argv): Promise<number> {
  const script =
    'begin=$(date +%s%N); "$@" >&2; code=$?; end=$(date +%s%N); echo $((end - begin)); exit $code';
  return Number(await inside(stage, node, ["sh", "-c", script, "sh", ...argv])) / 1e6;
}
