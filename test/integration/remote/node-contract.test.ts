import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { connectNode } from "../../../src/remote/connect.js";
import { localNode } from "../../../src/remote/local.js";
import type { Node } from "../../../src/remote/node.js";
import { run } from "../../../src/remote/run.js";
import { pause, waitFor } from "../../../src/wait.js";
import { SshServer } from "../../support/ssh-server.js";

jest.setTimeout(30_000);

let server: SshServer;
let directory: string;

beforeAll(async () => {
  server = await SshServer.start();
  directory = mkdtempSync(join(tmpdir(), "fastmig-node-"));
});

afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const backEnds: [string, () => Promise<Node>][] = [
  [
    "ssh",
    () =>
      connectNode(
        { name: "n", reach: { kind: "ssh", alias: "node" }, sudo: false, address: null },
        { sshConfig: server.clientConfig() },
      ),
  ],
  ["local", () => localNode("n")],
];

describe.each(backEnds)("a node by %s", (_kind, connect) => {
  let node: Node;
  beforeEach(async () => {
    node = await connect();
  });
  afterEach(() => node.close());

  test("hands every argument over as it is", async () => {
    const words = [
      "",
      " ",
      "a b",
      "it's",
      '"',
      "$HOME",
      "`id`",
      "\\",
      "*",
      "a\nb",
      "ü→",
      "-n",
      "!",
      "#",
      "~",
      "a;b&c|d<e>f(g)",
    ];
    expect(await run(node, ["printf", "%s\\0", ...words])).toBe(words.map((word) => `${word}\0`).join(""));
  });

  test("keeps standard output and standard error apart, and the exit code", async () => {
    expect(await node.exec(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
      kind: "exited",
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("a command that is not there exits 127", async () => {
    expect(await node.exec(["/no/such/command"])).toMatchObject({
      kind: "exited",
      code: 127,
      stderr: /command/,
    });
  });

  test("tells a signal from an exit", async () => {
    expect(await node.exec(["sh", "-c", "kill -KILL $$"])).toMatchObject({
      kind: "signaled",
      signal: "SIGKILL",
    });
  });

  test("takes 16 MB of input and gives them back", async () => {
    const data = randomBytes(8 * 2 ** 20).toString("hex");
    const outcome = await node.exec(["cat"], { stdin: data });
    expect(outcome.kind).toBe("exited");
    expect(outcome.stdout === data).toBe(true);
  });

  test("much output on both streams at once does not block", async () => {
    const outcome = await node.exec([
      "sh",
      "-c",
      "head -c 5000000 /dev/zero >&2 & head -c 5000000 /dev/zero; wait",
    ]);
    expect(outcome).toMatchObject({ kind: "exited", code: 0 });
    expect([outcome.stdout.length, outcome.stderr.length]).toEqual([5_000_000, 5_000_000]);
  });

  test("a readable stream is its input", async () => {
    expect(
      await run(node, ["cat"], { stdin: Readable.from([Buffer.from("one "), Buffer.from("two")]) }),
    ).toBe("one two");
  });

  test("an input that breaks off is no success", async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        await pause(20);
        throw new Error("disk on fire");
      })(),
    );
    expect(await node.exec(["cat"], { stdin: broken })).toMatchObject({
      kind: "lost",
      reason: "its input failed: disk on fire",
    });
  });

  test("a command that reads none of its input is no failure", async () => {
    expect(await node.exec(["true"], { stdin: Buffer.alloc(4 * 2 ** 20) })).toMatchObject({
      kind: "exited",
      code: 0,
    });
  });

  test("without input it reads an end", async () => {
    expect(await run(node, ["cat"])).toBe("");
  });

  test("an abort ends the command", async () => {
    const controller = new AbortController();
    const pidFile = join(directory, "aborted");
    const outcome = node.exec(["sh", "-c", `echo $$ > ${pidFile}; exec sleep 60`], {
      signal: controller.signal,
    });
    const pid = await waitFor(
      "the command",
      () => Promise.resolve(Number(readFileSync(pidFile, "utf8")) || undefined),
      { timeout: 5000 },
    );
    controller.abort();
    expect(await outcome).toMatchObject({ kind: "lost", reason: "aborted" });
    await waitFor("its end", () => Promise.resolve(!existsSync(`/proc/${pid}`) || undefined), {
      timeout: 1000,
    });
    rmSync(pidFile);
  });

  test("what was aborted before is not run", async () => {
    const file = join(directory, "never");
    expect(await node.exec(["touch", file], { signal: AbortSignal.abort() })).toMatchObject({
      kind: "lost",
      reason: "aborted",
    });
    await expect(
      run(node, ["touch", file], { signal: AbortSignal.abort(new Error("stop")) }),
    ).rejects.toThrow("stop");
    expect(existsSync(file)).toBe(false);
  });

  test("a timeout ends the command", async () => {
    expect(await node.exec(["sleep", "60"], { timeout: 100 })).toMatchObject({
      kind: "lost",
      reason: "not finished within 100 ms",
    });
  });

  test("a command that ignores SIGTERM is killed", async () => {
    const started = performance.now();
    const outcome = await node.exec(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], {
      timeout: 100,
    });
    expect(outcome.kind).toBe("lost");
    expect(performance.now() - started).toBeLessThan(6000);
  });

  test("thirty commands at once", async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => String(index));
    expect(await Promise.all(numbers.map((number) => run(node, ["echo", number])))).toEqual(
      numbers.map((number) => `${number}\n`),
    );
  });

  test("streams through a spawned command, whose reader comes late", async () => {
    const process = await node.spawn(["cat"]);
    const data = randomBytes(4 * 2 ** 20);
    const written = pipeline(Readable.from([data]), process.stdin);
    await pause(100);
    expect((await buffer(process.stdout)).equals(data)).toBe(true);
    await written;
    expect(await process.outcome).toMatchObject({ kind: "exited", code: 0 });
  });

  test("one command's output is another's input", async () => {
    const [from, to] = [
      await node.spawn(["head", "-c", "20000000", "/dev/zero"]),
      await node.spawn(["wc", "-c"]),
    ];
    const counted = text(to.stdout);
    await pipeline(from.stdout, to.stdin);
    expect((await counted).trim()).toBe("20000000");
    expect([(await from.outcome).kind, (await to.outcome).kind]).toEqual(["exited", "exited"]);
  });

  test("an output that nobody wants any more ends its command", async () => {
    const process = await node.spawn(["cat", "/dev/zero"]);
    await once(process.stdout, "data");
    process.stdout.destroy();
    expect(await process.outcome).not.toMatchObject({ kind: "exited", code: 0 });
  });

  test("a spawned command's failure comes with the end of what it said", async () => {
    const process = await node.spawn(["sh", "-c", "echo data; echo trouble >&2; exit 4"]);
    expect(await text(process.stdout)).toBe("data\n");
    expect(await process.outcome).toMatchObject({ kind: "exited", code: 4, stderr: "trouble\n" });
  });

  test("run says what ran, where, and how it ended", async () => {
    await expect(run(node, ["sh", "-c", "echo no >&2; exit 2"])).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: "on node n: sh -c 'echo no >&2; exit 2': exited with code 2",
      details: ["no"],
    });
  });

  describe("and Unix sockets", () => {
    let socket: string;
    let listener: Server | undefined;
    beforeEach(() => {
      socket = join(directory, "s.sock");
    });
    afterEach(() => {
      listener?.close();
      listener = undefined;
      rmSync(socket, { force: true });
    });

    async function serve(onConnection: (stream: Duplex) => void): Promise<void> {
      listener = createServer({ allowHalfOpen: true }, onConnection).listen(socket);
      await once(listener, "listening");
    }

    test("connects, both ways, half-closed", async () => {
      await serve((stream) => void buffer(stream).then((data) => stream.end(digest(data))));
      const stream = await node.connect(socket);
      const data = randomBytes(8 * 2 ** 20);
      stream.end(data);
      expect(await text(stream)).toBe(digest(data));
    });

    test("much comes back while the other way is shut", async () => {
      const data = randomBytes(8 * 2 ** 20);
      await serve((stream) => stream.resume().on("end", () => stream.end(data)));
      const stream = await node.connect(socket);
      stream.end();
      expect((await buffer(stream)).equals(data)).toBe(true);
    });

    test("a socket that is not there, or that nobody listens on, is refused", async () => {
      await expect(node.connect(join(directory, "nowhere.sock"))).rejects.toMatchObject({
        code: "SOCKET_REFUSED",
        exit: 4,
      });
      writeFileSync(socket, "");
      await expect(node.connect(socket)).rejects.toMatchObject({ code: "SOCKET_REFUSED" });
    });

    test("connecting can be aborted", async () => {
      await expect(node.connect(socket, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    });

    test("the end of a stream that is destroyed reaches the other side", async () => {
      const closed = new Promise(
        (resolve) =>
          void serve((stream) =>
            stream
              .resume()
              .on("close", resolve)
              .on("end", () => stream.end()),
          ),
      );
      const stream = await waitFor("the listener", () => node.connect(socket), { timeout: 2000 });
      stream.destroy();
      await closed;
      expect(stream.destroyed).toBe(true);
    });

    test("listens, also where a stale socket lies", async () => {
      writeFileSync(socket, "");
      const stop = await node.listen(
        socket,
        (stream) => void buffer(stream).then((data) => stream.end(digest(data))),
      );
      const client = createConnection({ path: socket, allowHalfOpen: true });
      const data = randomBytes(2 ** 20);
      client.end(data);
      expect(await text(client)).toBe(digest(data));
      await stop();
      expect(existsSync(socket)).toBe(false);
    });

    test("twenty connections at once", async () => {
      await serve((stream) => stream.pipe(stream));
      const streams = await Promise.all(Array.from({ length: 20 }, () => node.connect(socket)));
      streams.forEach((stream, index) => stream.end(`hello ${index}`));
      expect(await Promise.all(streams.map((stream) => text(stream)))).toEqual(
        streams.map((_, index) => `hello ${index}`),
      );
    });
  });
});

function digest(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
