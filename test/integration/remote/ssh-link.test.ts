import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { connectNode } from "../../../src/remote/connect.js";
import type { Node } from "../../../src/remote/node.js";
import { run } from "../../../src/remote/run.js";
import { pause } from "../../../src/wait.js";
import { SshServer } from "../../support/ssh-server.js";

jest.setTimeout(30_000);

let server: SshServer;
let node: Node;

async function start(sshd: string[] = []): Promise<void> {
  server = await SshServer.start({ sshd });
  node = await connectNode(
    { name: "n", reach: { kind: "ssh", alias: "node" }, sudo: false, address: null },
    { sshConfig: server.clientConfig() },
  );
}

afterEach(async () => {
  await node.close();
  await server.stop();
});

describe("a lost link", () => {
  beforeEach(() => start());

  test("a command that was running is lost, not ended", async () => {
    const outcome = node.exec(["sh", "-c", "echo half; sleep 60"]);
    await pause(200);
    server.cut();
    expect(await outcome).toMatchObject({
      kind: "lost",
      reason: expect.stringContaining("SSH connection was lost"),
      stdout: "half\n",
    });
  });

  test("so is one that is begun afterwards, and it is an error of exit code 4", async () => {
    server.cut();
    await node.lost;
    expect(await node.exec(["true"])).toMatchObject({ kind: "lost" });
    await expect(run(node, ["true"])).rejects.toMatchObject({ code: "COMMAND_LOST", exit: 4 });
    await expect(node.spawn(["true"])).rejects.toThrow("lost");
    await expect(node.connect("/nowhere")).rejects.toMatchObject({ code: "SOCKET_REFUSED" });
    await expect(node.listen("/nowhere", () => undefined)).rejects.toMatchObject({ code: "SOCKET_REFUSED" });
  });

  test("the node says so, once, with the reason", async () => {
    setTimeout(() => server.cut(), 100);
    expect(await node.lost).toContain("the SSH connection was lost");
  });

  test("a connection to a socket fails instead of ending", async () => {
    const socket = server.path("s.sock");
    const listener = createServer((stream) => void stream.write("hello")).listen(socket);
    await once(listener, "listening");
    const stream = await node.connect(socket);
    await once(stream, "data");
    const read = text(stream);
    const written = new Promise((resolve) => stream.write(randomBytes(16 * 2 ** 20), resolve));
    server.cut();
    await expect(read).rejects.toThrow("lost");
    expect(await written).toBeInstanceOf(Error);
    listener.close();
  });

  test("closing it ourselves is no loss", async () => {
    let lost = false;
    void node.lost.then(() => (lost = true));
    await node.close();
    await pause(50);
    expect(lost).toBe(false);
    expect(await node.exec(["true"])).toMatchObject({
      kind: "lost",
      reason: "the SSH connection was closed",
    });
  });
});

test("keys are renewed under load", async () => {
  await start(["RekeyLimit 1M"]);
  const data = randomBytes(12 * 2 ** 20);
  const process = await node.spawn(["cat"]);
  process.stdin.end(data);
  const back = await buffer(process.stdout);
  expect(createHash("sha256").update(back).digest("hex")).toBe(
    createHash("sha256").update(data).digest("hex"),
  );
});

test("a node that forwards nothing says so where a socket is wanted", async () => {
  await start(["AllowStreamLocalForwarding no"]);
  await expect(node.connect(server.path("s.sock"))).rejects.toMatchObject({
    code: "SOCKET_REFUSED",
    exit: 4,
  });
  await expect(node.listen(server.path("s.sock"), () => undefined)).rejects.toMatchObject({
    code: "SOCKET_REFUSED",
    exit: 4,
  });
});

test("a node with few sessions: commands wait for each other", async () => {
  await start(["MaxSessions 3"]);
  const outcomes = await Promise.all(Array.from({ length: 25 }, () => node.exec(["sleep", "0.05"])));
  expect(outcomes.every((outcome) => outcome.kind === "exited" && outcome.code === 0)).toBe(true);
});
