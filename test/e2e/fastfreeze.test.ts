/** FastFreeze's command line in containers of its own: its tutorial, every option, every exit code. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sshArgv } from "../../src/lab/index.js";
import { pause, waitFor } from "../../src/wait.js";
import { buildFastFreezeImage } from "../support/fastfreeze-image.js";
import { type Ended, program, root } from "../support/fastmig.js";
import { onStage } from "../support/on-stage.js";
import type { NodeName } from "../support/stage.js";

const stage = onStage();
let documents = "";

/** The code blocks of one language in docs/fastfreeze.md. */
function blocks(language: string): string[] {
  return [...documents.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(
    ([, text = ""]) => text,
  );
}

beforeAll(async () => {
  documents = await readFile(join(root, "docs/fastfreeze.md"), "utf8");
  await buildFastFreezeImage(stage().lab);
}, 600_000);

const clear = async (): Promise<void> => {
  for (const node of ["a", "b"] as const) await stage().on(node, "sh", "-c", "rm -rf /tmp/ff*");
};
beforeEach(clear);
afterEach(clear);

/** A shell's command line on a node, to its end. */
function shell(node: NodeName, line: string): Promise<Ended> {
  const [file = "", ...args] = sshArgv(stage().lab, node, ["bash", "-c", line]);
  return program(file, args);
}

const options =
  "--user nobody --cap-add=cap_sys_ptrace,cap_checkpoint_restore,cap_setpcap --security-opt seccomp=unconfined";

interface Running {
  ended: Promise<Ended>;
  /** What is in its output so far. */
  said(): Promise<string>;
  /** Resolves when that is in its output. */
  says(text: string): Promise<void>;
}

let runs = 0;

/** `podman run` of a container `ff`, in the background. */
function begin(node: NodeName, line: string): Running {
  runs += 1;
  const file = `/tmp/ff-output-${runs}`;
  const ended = shell(node, `${line} > ${file} 2>&1; code=$?; cat ${file}; exit $code`);
  const said = async (): Promise<string> => stage().on(node, "sh", "-c", `cat ${file} 2>/dev/null || true`);
  const look = async (text: string): Promise<true> => {
    const all = await said();
    if (all.includes(text)) return true;
    throw new Error(all);
  };
  const says = async (text: string): Promise<void> => {
    await waitFor(`"${text}"`, () => look(text), { timeout: 30_000 });
  };
  return { ended, said, says };
}

/** With these options of Podman's, and these words after `fastfreeze run`. */
function run(node: NodeName, words: string, more = "", user = options): Running {
  const mount = "--mount type=bind,source=/tmp,target=/tmp";
  return begin(
    node,
    `podman run --rm ${user} --name ff ${mount} ${more} fastfreeze:latest fastfreeze run ${words}`,
  );
}

const inside = (node: NodeName, line: string, more = ""): Promise<Ended> =>
  shell(node, `podman exec ${more} ff ${line}`);

async function checkpoint(node: NodeName, words = "", more = ""): Promise<string> {
  const { exit, stderr } = await inside(node, `fastfreeze checkpoint ${words}`, more);
  expect({ exit, stderr }).toMatchObject({ exit: 0 });
  return stderr;
}

const numbers = (output: string): number[] =>
  output
    .split(/\r?\n/)
    .filter((line) => /^\d+$/.test(line))
    .map(Number);

const counting = `bash -c 'for i in $(seq 100); do echo $i; sleep 0.2; done'`;

test("the tutorial: runs, is frozen, goes on where it was", async () => {
  const [first = "", freeze = ""] = blocks("sh");
  const inTerminal = (line: string): string => `script -qec ${quoted(line)} /dev/null < /dev/null`;
  const once = begin("a", inTerminal(first));
  await once.says("\n3");
  const frozen = await shell("a", freeze);
  expect(frozen).toMatchObject({ exit: 0 });
  expect(frozen.stderr).toMatch(
    /^\[ff.checkpoint\] \(\d+\.\d{3}s\) Checkpointing application to file:\/tmp\/ff-test \(num_shards=4 compressor=Lz4 prefix=\w+\)$/m,
  );
  expect(frozen.stderr).toMatch(/Uncompressed image size is \d+ MiB, rate: \d+ MiB\/s$/m);
  expect(frozen.stderr).toMatch(/Checkpoint to file:\/tmp\/ff-test complete. Took \d+\.\ds$/m);
  const { exit, stdout } = await once.ended;
  expect(exit).toBe(137);
  expect(lines(stdout)).toEqual([
    expect.stringMatching(/^Time is /),
    expect.stringMatching(/^Host is /),
    expect.stringMatching(/^Invocation ID is \w{6}$/),
    "Fetching image manifest for file:/tmp/ff-test",
    "Image manifest not found, running application from scratch",
    "Application is ready, started from scratch",
    "Exiting with exit_code=137: Application caught fatal signal SIGKILL",
  ]);
  const files = await stage().on("a", "ls", "/tmp/ff-test");
  expect(files.match(/^\w+-[1-4]\.shard$/gm)).toHaveLength(4);
  expect(files).toContain("manifest.json");

  const before = numbers(stdout);
  const again = begin("a", inTerminal(first));
  await again.says(`\n${before.length + 2}`);
  await stage().on("a", "podman", "kill", "--signal", "TERM", "ff");
  const end = await again.ended;
  expect(end.exit).toBe(143);
  expect(lines(end.stdout).slice(3)).toEqual([
    "Fetching image manifest for file:/tmp/ff-test",
    "Restoring application",
    expect.stringMatching(/^Uncompressed image size is \d+ MiB, rate: \d+ MiB\/s$/),
    expect.stringMatching(/^Application is ready, restore took \d+\.\ds$/),
    "Exiting with exit_code=143: Application caught fatal signal SIGTERM",
  ]);
  const all = [...before, ...numbers(end.stdout)];
  expect(all).toEqual(all.map((_, at) => at + 1));
}, 120_000);

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What is in FastFreeze's lines. */
const lines = (output: string): string[] =>
  [...output.matchAll(/\[ff\.run\] \(\d+\.\d{3}s\) (.*?)\r?$/gm)].map(([, text = ""]) => text);

/** Counts how often it was asked; says which variables it has. */
const server = `
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Answer.asked += 1
        self.send_response(200)
        self.end_headers()
        words = [os.environ.get(name, "-") for name in ("WORD", "FASTFREEZE", "FF_APP_INJECT_WORD", "LD_LIBRARY_PATH")]
        self.wfile.write(" ".join([str(Answer.asked), *words]).encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("", 7001), Answer).serve_forever()
`;

/** Asked again until it answers, which is soon. */
async function asked(node: NodeName, port: number): Promise<string> {
  const look = async (): Promise<string> => {
    const script = `import urllib.request as u; print(u.urlopen('http://127.0.0.1:${port}', timeout=5).read().decode())`;
    const { exit, stdout, stderr } = await inside(node, `python3 -c "${script}"`);
    if (exit === 0) return stdout;
    throw new Error(stderr);
  };
  return waitFor(`an answer at ${port}`, look, { timeout: 15_000 });
}

async function metrics(node: NodeName): Promise<Record<string, unknown>[]> {
  const text = await stage().on(node, "cat", "/tmp/ff-metrics");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("every option: encrypted, packed, with files, orphans and another port, on another node", async () => {
  for (const node of ["a", "b"] as const) {
    await stage().on(
      node,
      "sh",
      "-c",
      `mkdir -m 777 /tmp/ff-data /tmp/ff-more; chown nobody /tmp/ff-data /tmp/ff-more; echo secret > /tmp/ff-key; touch /tmp/ff-metrics; chmod 666 /tmp/ff-metrics
cat > /tmp/ff-server.py <<'END'
${server}
END
printf '#!/bin/sh\\necho "$1" >> /tmp/ff-metrics\\n' > /tmp/ff-recorder; chmod +x /tmp/ff-recorder`,
    );
  }
  await stage().on(
    "a",
    "sh",
    "-c",
    "echo kept > /tmp/ff-data/one; echo kept > /tmp/ff-more/two; chown -R nobody /tmp/ff-data /tmp/ff-more",
  );
  const env =
    "-e FF_APP_INJECT_WORD=hey -e FF_APP_LD_LIBRARY_PATH=/nowhere -e FF_METRICS_RECORDER=/tmp/ff-recorder -e CRIU_OPTS=--ghost-limit=1M";
  const words =
    "--image-url file:/tmp/ff-image --preserve-path /tmp/ff-data:/tmp/ff-none --passphrase-file /tmp/ff-key";
  const application = `-- bash -c '(sleep 1000 &); exec python3 /tmp/ff-server.py'`;
  const first = run("a", `${words} --on-app-ready 'echo it is ready' ${application}`, env);
  await first.says("it is ready");
  expect(await asked("a", 7001)).toBe("1 hey 1 - /nowhere\n".trim());

  const kept = await checkpoint(
    "a",
    "--leave-running --cpu-budget high --num-shards 2 --preserve-path /tmp/ff-more",
  );
  expect(kept).toContain("(num_shards=2 compressor=Zstd ");
  expect(kept).toContain("Encrypting image with passphrase from file /tmp/ff-key");
  expect(await asked("a", 7001)).toMatch(/^2 /);
  // As root, to the same place, with what is known by now.
  await checkpoint("a", "--cpu-budget low", "--user root");
  expect(await first.ended).toMatchObject({ exit: 137 });

  const on = (node: NodeName): string => `ssh -F ${stage().lab.sshConfig} ${node}`;
  await program("sh", ["-c", `${on("a")} tar -C /tmp -cf - ff-image | ${on("b")} tar -C /tmp -xf -`]);
  await stage().on("a", "sh", "-c", "grep -q secret /tmp/ff-image/* && exit 1 || true");
  const second = run("b", `${words} --tcp-listen-remap 7001:17001 --leave-stopped ${application}`, env);
  await second.says("Restoring application (leave stopped)");
  await second.says("Application is ready");
  const states = async (): Promise<string> =>
    (await inside("b", "sh -c 'cat /proc/1000/status; cat /proc/1000/task/*/children'")).stdout;
  expect(await states()).toMatch(/^State:\tT \(stopped\)/m);
  await inside("b", "sh -c 'kill -CONT $(cat /proc/1000/task/1000/children) 1000'");
  expect(await asked("b", 17001)).toBe("3 hey 1 - /nowhere");
  // The orphan is its child.
  expect(await states()).toMatch(/^10\d\d $/m);
  expect(await stage().on("b", "cat", "/tmp/ff-data/one", "/tmp/ff-more/two")).toBe("kept\nkept");
  await inside("b", "sh -c 'kill -9 1000'");
  expect(await second.ended).toMatchObject({ exit: 137 });

  const told = (await metrics("a")).map(({ action, outcome }) => [action, outcome]);
  expect(told.filter(([action]) => action !== "checkpoint_start")).toEqual([
    ["fetch_manifest", "success"],
    ["run_from_scratch", "success"],
    ["checkpoint", "success"],
    ["checkpoint", "success"],
    ["run", "error"],
  ]);
  expect((await metrics("b")).find(({ action }) => action === "restore")).toMatchObject({
    outcome: "success",
    invocation_id: expect.stringMatching(/^\w{6}$/),
    stats: { total_size_mb: expect.any(Number), rate_mb_per_sec: expect.any(Number) },
  });
}, 180_000);

describe("what goes wrong", () => {
  test.each([
    [
      "its own exit code",
      "-- sh -c 'exit 3'",
      3,
      "Exiting with exit_code=3: Application exited with exit_code=3",
    ],
    ["a good end", "-- true", 0, "Application exited with exit_code=0"],
    ["no such program", "-- /nowhere/app", 170, "cannot execute /nowhere/app: No such file or directory"],
    ["nothing to run", "", 170, "No application to restore, but running in restore-only mode, aborting"],
    [
      "no such file",
      "--passphrase-file /nowhere -- true",
      170,
      "The passphrase file /nowhere is not accessible",
    ],
    ["no such option", "--nonsense -- true", 1, "Unknown option '--nonsense'"],
    ["no port", "--tcp-listen-remap 80 -- true", 1, "--tcp-listen-remap: old_port:new_port, not 80"],
    [
      "no store",
      "--image-url s4://x/y -- true",
      170,
      "images are kept at file:PATH, s3://BUCKET/PATH or gs://BUCKET/PATH",
    ],
    ["help", "--help", 0, "171         a restore failed"],
  ])("%s", async (_, words, exit, text) => {
    const url = words.includes("--image-url") ? "" : "--image-url file:/tmp/ff-image";
    const ended = await run("a", `${url} ${words}`).ended;
    expect(ended).toMatchObject({ exit });
    expect(ended.stdout).toContain(text);
  });

  test("a container without what CRIU needs is told so before the application runs", async () => {
    const ended = await run("a", `--image-url file:/tmp/ff-image -- ${counting}`, "", "--user nobody").ended;
    expect(ended).toMatchObject({ exit: 170 });
    expect(ended.stdout).toContain(
      "This container lacks CAP_CHECKPOINT_RESTORE, CAP_SYS_PTRACE, without which nothing can be frozen",
    );
    expect(numbers(ended.stdout)).toEqual([]);
  });

  test("nothing runs: checkpoint says so, wait has nothing to wait for", async () => {
    const line = (words: string): Promise<Ended> =>
      shell("a", `podman run --rm ${options} fastfreeze:latest fastfreeze ${words}`);
    const asked = await line("checkpoint");
    expect(asked).toMatchObject({ exit: 170 });
    expect(asked.stderr).toContain("It is created during the run command");
    expect(await line("wait")).toMatchObject({ exit: 0 });
    expect(await line("wait -t soon")).toMatchObject({ exit: 1 });
    expect(await line("thaw")).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining("no subcommand thaw"),
    });
  });

  test("an image that is damaged, or encrypted, or another's: 171, and a fresh start with --no-restore", async () => {
    const url = "--image-url file:/tmp/ff-image";
    const first = run("a", `${url} -- ${counting}`);
    await first.says("\n2");
    await stage().on("a", "sh", "-c", "echo secret > /tmp/ff-key; echo other > /tmp/ff-other");
    await checkpoint("a", "--passphrase-file /tmp/ff-key");
    await first.ended;
    const fails = async (words: string, text: string, user = options): Promise<void> => {
      const ended = await run("a", `${url} ${words} -- ${counting}`, "", user).ended;
      expect(ended).toMatchObject({ exit: 171 });
      expect(ended.stdout).toContain(text);
      expect(ended.stdout).toContain(
        "You may try again with --no-restore to run the application from scratch",
      );
      expect(numbers(ended.stdout)).toEqual([]);
    };
    await fails("", "is encrypted");
    await fails("--passphrase-file /tmp/ff-other", "passphrase");
    await fails(
      "--passphrase-file /tmp/ff-key --tcp-listen-remap 80:81",
      "nothing in the image listens at 80, but at no port",
    );
    await stage().on("a", "chmod", "-R", "a+rX", "/tmp/ff-image");
    const another = options.replace("nobody", "1000");
    await fails(
      "--passphrase-file /tmp/ff-key",
      "its processes are user 65534's, and this container is user 1000's",
      another,
    );
    const extracted = await shell(
      "a",
      `podman run --rm ${options} -v /tmp:/tmp fastfreeze:latest fastfreeze extract -i /tmp/ff-image -o /tmp/ff-out --passphrase-file /tmp/ff-key`,
    );
    expect(extracted).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining("Image extracted to /tmp/ff-out. Took"),
    });
    expect(await stage().on("a", "ls", "/tmp/ff-out")).toContain("inventory.img");
    await stage().on(
      "a",
      "sh",
      "-c",
      "for f in /tmp/ff-image/*.shard; do printf x | dd of=$f conv=notrunc bs=1 seek=100 status=none; done",
    );
    await fails("--passphrase-file /tmp/ff-key", "is damaged: the ");
    await stage().on("a", "sh", "-c", "rm /tmp/ff-image/*-1.shard");
    await fails("--passphrase-file /tmp/ff-key", "is missing");
    const anew = run("a", `${url} --no-restore -- ${counting}`);
    await anew.says("started from scratch");
    await anew.says("\n1");
    await stage().on("a", "podman", "kill", "ff");
    await anew.ended;
  }, 120_000);

  test("an image that FastFreeze made: from scratch, unless that is not allowed", async () => {
    const manifest = JSON.stringify({
      version: "2021-03-22",
      num_shards: 1,
      encryption: null,
      compression: null,
      shard_prefix: "aaNN7y",
    });
    await stage().on(
      "a",
      "sh",
      "-c",
      `mkdir -m 777 /tmp/ff-image; echo '${manifest}' > /tmp/ff-image/manifest.json`,
    );
    const scratch = await run("a", "--image-url file:/tmp/ff-image -- true").ended;
    expect(scratch).toMatchObject({ exit: 0 });
    expect(scratch.stdout).toContain(
      "has version 2021-03-22 while the expected version is 1. Running application from scratch",
    );
    const ended = await run("a", "--image-url file:/tmp/ff-image --allow-bad-image-version -- true").ended;
    expect(ended).toMatchObject({ exit: 171 });
  });

  test("a checkpoint that fails leaves the application running, also where it was interrupted", async () => {
    const first = run("a", `--image-url file:/tmp/ff-image -- ${counting}`);
    await first.says("\n2");
    const failed = await inside("a", "fastfreeze checkpoint --image-url file:/etc/nowhere");
    expect(failed).toMatchObject({ exit: 170 });
    expect(failed.stderr).toContain("Checkpoint failed, the application goes on: EACCES: permission denied");
    const before = numbers(await first.said()).length;
    await first.says(`\n${before + 2}`);
    await checkpoint("a");
    expect(numbers((await first.ended).stdout).length).toBeGreaterThan(before);
  });

  test("signals reach the application", async () => {
    const app = `sh -c 'trap "echo user" USR1; trap "echo end; exit 9" TERM; echo up; while sleep 0.1; do :; done'`;
    const first = run("a", `--image-url file:/tmp/ff-image -- ${app}`);
    await first.says("up");
    await stage().on("a", "podman", "kill", "--signal", "USR1", "ff");
    await first.says("user");
    await stage().on("a", "podman", "kill", "--signal", "TERM", "ff");
    expect(await first.ended).toMatchObject({ exit: 9, stdout: expect.stringContaining("\nend\n") });
  });

  test("one checkpoint at a time; wait waits for it", async () => {
    await makeCopier(3);
    const first = run("a", `--image-url file:/tmp/ff-image -- ${counting}`);
    await first.says("\n2");
    const slow = inside("a", "fastfreeze checkpoint --image-url s3://bucket/x", "-e S3_CMD=/tmp/ff-copy");
    await pause(1000);
    expect(await inside("a", "fastfreeze checkpoint")).toMatchObject({
      exit: 170,
      stderr: expect.stringContaining("Previous checkpoint/restore operation still in progress"),
    });
    expect(await inside("a", "fastfreeze wait -t 0.5")).toMatchObject({ exit: 170 });
    expect(await inside("a", "fastfreeze wait -t 30")).toMatchObject({ exit: 0 });
    expect(await slow).toMatchObject({ exit: 0 });
    expect(await first.ended).toMatchObject({ exit: 137 });
  });

  test("a daemon that is killed is followed by one that stays with the application", async () => {
    const first = run("a", `--image-url file:/tmp/ff-image -- ${counting}`);
    await first.says("\n2");
    await inside("a", 'sh -c \'kill -9 $(cat /proc/1/task/1/children | tr " " "\\n" | head -1)\'');
    await pause(1000);
    await checkpoint("a");
    const { exit, stdout } = await first.ended;
    expect(exit).toBe(137);
    expect(numbers(stdout)).toEqual(numbers(stdout).map((_, at) => at + 1));
  });
});

/** A program for S3_CMD, with a directory for its bucket; what it uploads takes so many seconds more. */
async function makeCopier(seconds = 0): Promise<void> {
  const script = `#!/bin/bash
# cp [--expected-size N] FROM TO
shift; [ "$1" = --expected-size ] && shift 2
from=\${1/#s3:\\/\\/bucket//tmp/ff-bucket} to=\${2/#s3:\\/\\/bucket//tmp/ff-bucket}
if [ "$from" = - ]; then mkdir -p "$(dirname "$to")"; sleep ${seconds}; exec cat > "$to"; fi
[ -e "$from" ] || { echo "(404) Not Found" >&2; exit 1; }
exec cat "$from"`;
  const line = `mkdir -m 777 /tmp/ff-bucket; cat > /tmp/ff-copy <<'END'\n${script}\nEND\nchmod +x /tmp/ff-copy`;
  await stage().on("a", "sh", "-c", line);
}

test("a store's own command, FastFreeze's way", async () => {
  await makeCopier();
  const words = `--image-url s3://bucket/job -- ${counting}`;
  const first = run("a", words, "-e S3_CMD=/tmp/ff-copy");
  await first.says("\n2");
  await checkpoint("a");
  const { stdout } = await first.ended;
  const second = run("a", words, "-e S3_CMD=/tmp/ff-copy");
  await second.says(`\n${numbers(stdout).length + 1}`);
  await stage().on("a", "podman", "kill", "--signal", "TERM", "ff");
  expect(await second.ended).toMatchObject({ exit: 143 });
}, 60_000);
