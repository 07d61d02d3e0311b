import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { connectNode } from "../../../src/remote/connect.js";
import type { ConnectOptions, NodeSpec } from "../../../src/remote/connect.js";
import type { Node } from "../../../src/remote/node.js";
import { run } from "../../../src/remote/run.js";
import { SshServer, freePort } from "../../support/ssh-server.js";

jest.setTimeout(30_000);

const spec: NodeSpec = { name: "n", reach: { kind: "ssh", alias: "node" }, sudo: false, address: null };

let server: SshServer;
let node: Node | undefined;

beforeAll(async () => {
  server = await SshServer.start({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.trust();
  server.authorize("user");
});
afterEach(async () => {
  await node?.close();
  node = undefined;
});

async function connect(lines: string[] = [], options: ConnectOptions = {}, hosts = ""): Promise<Node> {
  node = await connectNode(spec, { sshConfig: server.clientConfig(lines, hosts), ...options });
  return node;
}

function fingerprintOf(name: string): string {
  return (
    execFileSync("ssh-keygen", ["-lf", server.path(`${name}.pub`)], { encoding: "utf8" }).split(" ")[1] ?? ""
  );
}

describe("reaching the host", () => {
  test("by an alias", async () => {
    const reached = await connect();
    expect(reached).toMatchObject({
      name: "n",
      user: server.user,
      address: "127.0.0.1",
      identity: fingerprintOf("host_ed25519"),
    });
    expect(await run(reached, ["id", "-un"])).toBe(`${server.user}\n`);
  });

  test("by host, user and port, with the configuration's keys", async () => {
    const reach = { kind: "host" as const, host: "127.0.0.1", user: server.user, port: server.port };
    const sshConfig = server.clientConfig(
      [],
      `Host 127.0.0.1\n  IdentityFile ${server.path("user")}\n  UserKnownHostsFile ${server.path("known_hosts")}`,
    );
    node = await connectNode({ ...spec, reach, address: "192.0.2.1" }, { sshConfig });
    expect(node.address).toBe("192.0.2.1");
  });

  test("FASTMIG_SSH_CONFIG names the configuration", async () => {
    process.env["FASTMIG_SSH_CONFIG"] = server.clientConfig();
    try {
      node = await connectNode(spec);
      expect(node.user).toBe(server.user);
    } finally {
      delete process.env["FASTMIG_SSH_CONFIG"];
    }
  });

  test("through ProxyJump, two hops, each verified", async () => {
    const reached = await connect(["ProxyJump one,two"], {}, server.host("one") + server.host("two"));
    expect(await run(reached, ["echo", "far"])).toBe("far\n");
  });

  test("a hop whose key nobody knows is refused", async () => {
    const refused = connect(["ProxyJump one"], {}, server.host("one", ["UserKnownHostsFile /dev/null"]));
    await expect(refused).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN", exit: 4 });
  });

  test("jumps in a circle end", async () => {
    await expect(connect(["ProxyJump node"])).rejects.toMatchObject({ code: "SSH_CONFIG", exit: 4 });
  });

  test("a host that does not exist", async () => {
    await expect(connect(["HostName no-such-host.invalid"])).rejects.toMatchObject({
      code: "HOST_UNKNOWN",
      exit: 4,
      message: "node n: no such host: no-such-host.invalid",
    });
  });

  test("a port that nobody listens on", async () => {
    await expect(connect([`Port ${await freePort()}`])).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      exit: 4,
    });
  });

  test("a host that never answers", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const port = (silent.address() as AddressInfo).port;
    await expect(connect([`Port ${port}`, "ConnectTimeout 1"])).rejects.toMatchObject({
      code: "CONNECTION_TIMED_OUT",
      message: `node n: no answer from 127.0.0.1 port ${port} within 1 s`,
    });
    silent.close();
  });

  test("a port where something else answers", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
      0,
      "127.0.0.1",
    );
    await once(other, "listening");
    await expect(connect([`Port ${(other.address() as AddressInfo).port}`])).rejects.toMatchObject({
      code: "SSH_FAILED",
      exit: 4,
    });
    other.close();
  });

  test("an abort ends the attempt", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const controller = new AbortController();
    silent.once("connection", () => controller.abort(new Error("stop")));
    await expect(
      connect([`Port ${(silent.address() as AddressInfo).port}`], { signal: controller.signal }),
    ).rejects.toThrow("stop");
    silent.close();
  });

  test("a ProxyCommand is refused by name", async () => {
    await expect(connect(["ProxyCommand nc %h %p"])).rejects.toMatchObject({ code: "PROXY_COMMAND" });
  });

  test("a configuration that ssh does not take", async () => {
    await expect(connect(["Port none-of-that"])).rejects.toMatchObject({ code: "SSH_CONFIG", exit: 4 });
  });
});

describe("the host key", () => {
  test("an unknown one is refused, and the message says what to compare and what to do", async () => {
    server.trust("");
    const refusal = await connect().catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: "HOST_KEY_UNKNOWN", exit: 4 });
    const { details, hint } = refusal as { details: string[]; hint: string[] };
    expect(details[0]).toBe(`it shows ssh-ed25519 ${fingerprintOf("host_ed25519")}`);
    expect(details[1]).toContain(server.path("known_hosts"));
    expect(hint.join()).toContain("--accept-new");
    expect(hint.join()).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1`);
    expect(readFileSync(server.path("known_hosts"), "utf8")).toBe("");
  });

  test("--accept-new takes it and writes it down, so that the next time it is known", async () => {
    const file = server.path("new/known_hosts");
    await (await connect([`UserKnownHostsFile ${file}`], { acceptNew: true })).close();
    expect(readFileSync(file, "utf8")).toBe(server.hostLine());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await connect([`UserKnownHostsFile ${file}`]);
    rmSync(server.path("new"), { recursive: true });
  });

  test("ssh itself reads what we wrote, hashed too", async () => {
    const file = server.path("hashed");
    await (
      await connect([`UserKnownHostsFile ${file}`, "HashKnownHosts yes", "StrictHostKeyChecking accept-new"])
    ).close();
    expect(readFileSync(file, "utf8")).toMatch(/^\|1\|/);
    expect(
      execFileSync("ssh-keygen", ["-F", `[127.0.0.1]:${server.port}`, "-f", file], { encoding: "utf8" }),
    ).toContain("found");
    await connect([`UserKnownHostsFile ${file}`]);
    rmSync(file);
  });

  test("what is appended starts on a line of its own", async () => {
    server.trust(`other.example ${server.hostLine().split(" ").slice(1, 3).join(" ")}`);
    await connect([], { acceptNew: true });
    expect(readFileSync(server.path("known_hosts"), "utf8").trim().split("\n")).toHaveLength(2);
  });

  test("a changed one is refused, --accept-new or not", async () => {
    server.keygen("other");
    const key = server.publicKey("other").split(" ").slice(0, 2).join(" ");
    server.trust(`# a comment\n[127.0.0.1]:${server.port} ${key}\n`);
    const refusal = await connect([], { acceptNew: true }).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: "HOST_KEY_CHANGED", exit: 4 });
    const details = (refusal as { details: string[] }).details.join("\n");
    expect(details).toContain(fingerprintOf("host_ed25519"));
    expect(details).toContain(`${fingerprintOf("other")} (${server.path("known_hosts")}:2)`);
    expect(readFileSync(server.path("known_hosts"), "utf8")).not.toContain(
      server.publicKey("host_ed25519").split(" ")[1] ?? "",
    );
  });

  test("a host known by one type of key is asked for that type", async () => {
    server.trust(server.hostLine("rsa"));
    expect((await connect()).identity).toBe(fingerprintOf("host_rsa"));
    server.trust(server.hostLine("ecdsa"));
    expect((await connect()).identity).toBe(fingerprintOf("host_ecdsa"));
  });

  test("a revoked one is refused", async () => {
    server.trust(`${server.hostLine()}@revoked * ${server.hostLine().split(" ").slice(1).join(" ")}`);
    await expect(connect([], { acceptNew: true })).rejects.toMatchObject({
      code: "HOST_KEY_REVOKED",
      exit: 4,
    });
  });

  test("a host known by a certificate authority alone is refused by name", async () => {
    server.trust(`@cert-authority * ${server.hostLine().split(" ").slice(1).join(" ")}`);
    await expect(connect([], { acceptNew: true })).rejects.toMatchObject({
      code: "HOST_KEY_CERTIFICATE",
      exit: 4,
    });
  });

  test("HostKeyAlias is the name it is looked up by", async () => {
    server.trust(server.hostLine().replace(/^\S+/, "the-node"));
    await connect(["HostKeyAlias the-node"]);
  });

  test("the system's known hosts count too", async () => {
    server.trust("");
    writeFileSync(server.path("global"), server.hostLine());
    await connect([`GlobalKnownHostsFile ${server.path("global")}`]);
  });
});

describe("proving who we are", () => {
  test("a key that the node does not know: the message names what was tried", async () => {
    if (!existsSync(server.path("stranger"))) server.keygen("stranger");
    const refusal = await connect([`IdentityFile ${server.path("stranger")}`]).catch(
      (thrown: unknown) => thrown,
    );
    expect(refusal).toMatchObject({ code: "AUTHENTICATION_REFUSED", exit: 4 });
    const { details } = refusal as { details: string[] };
    expect(details).toContain(`tried ${server.path("stranger")} ${fingerprintOf("stranger")}`);
    expect(details).toContain("the node accepts publickey");
  });

  test("no key at all", async () => {
    await expect(connect([`IdentityFile ${server.path("missing")}`])).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: expect.arrayContaining(["no key to try", `${server.path("missing")}: not there`]),
    });
  });

  describe("a key with a passphrase", () => {
    let agent: { pid: number; socket: string };
    beforeAll(() => {
      server.keygen("locked", "ed25519", "a passphrase");
      const text = execFileSync("ssh-agent", ["-s", "-a", server.path("agent.sock")], { encoding: "utf8" });
      agent = { pid: Number(/SSH_AGENT_PID=(\d+)/.exec(text)?.[1]), socket: server.path("agent.sock") };
    });
    afterAll(() => {
      process.kill(agent.pid);
    });

    function connectLocked(...lines: string[]): Promise<Node> {
      server.authorize("locked");
      return connect([...lines, `IdentityFile ${server.path("locked")}`]);
    }

    function addToAgent(): void {
      writeFileSync(server.path("askpass"), "#!/bin/sh\necho a passphrase\n");
      chmodSync(server.path("askpass"), 0o700);
      const env = {
        ...process.env,
        SSH_AUTH_SOCK: agent.socket,
        SSH_ASKPASS: server.path("askpass"),
        SSH_ASKPASS_REQUIRE: "force",
      };
      execFileSync("ssh-add", ["-q", server.path("locked")], { env, stdio: "ignore" });
    }

    test("without the agent: the message says ssh-add", async () => {
      await expect(connectLocked()).rejects.toMatchObject({
        code: "AUTHENTICATION_REFUSED",
        hint: expect.arrayContaining([
          `give the agent the key with the passphrase: ssh-add ${server.path("locked")}`,
        ]),
        details: expect.arrayContaining([
          `${server.path("locked")}: has a passphrase and is not in the agent`,
        ]),
      });
    });

    test("an agent that is not there is said", async () => {
      await expect(connectLocked("IdentityAgent /no/agent")).rejects.toMatchObject({
        details: expect.arrayContaining([expect.stringContaining("no agent at /no/agent")]),
      });
    });

    test("from the agent, by IdentityAgent and by SSH_AUTH_SOCK", async () => {
      addToAgent();
      await (await connectLocked(`IdentityAgent ${agent.socket}`)).close();
      const before = process.env["SSH_AUTH_SOCK"];
      process.env["SSH_AUTH_SOCK"] = agent.socket;
      try {
        await connectLocked("IdentityAgent SSH_AUTH_SOCK");
      } finally {
        if (before === undefined) delete process.env["SSH_AUTH_SOCK"];
        else process.env["SSH_AUTH_SOCK"] = before;
      }
    });

    test("IdentitiesOnly keeps the agent's other keys back", async () => {
      addToAgent();
      server.authorize("locked");
      const lines = [`IdentityAgent ${agent.socket}`];
      await (await connect(lines)).close();
      await expect(connect([...lines, "IdentitiesOnly yes"])).rejects.toMatchObject({
        code: "AUTHENTICATION_REFUSED",
      });
    });
  });
});

describe("sudo", () => {
  let withSudo: SshServer;

  async function connectAsRoot(): Promise<Node> {
    node = await connectNode({ ...spec, sudo: true }, { sshConfig: withSudo.clientConfig() });
    return node;
  }

  /** A machine's sudo is not the tests' to configure: what stands on the node's PATH under its name answers as it does. */
  async function startWithSudo(script: string): Promise<void> {
    const bin = server.path("bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(`${bin}/sudo`, `#!/bin/sh\n${script}\n`);
    chmodSync(`${bin}/sudo`, 0o755);
    withSudo = await SshServer.start({ sshd: [`SetEnv PATH=${bin}:/usr/bin:/bin`] });
  }
  afterEach(() => withSudo.stop());

  test("every command goes through sudo -n, but for what is asked as the login user", async () => {
    await startWithSudo('[ "$1 $2" = "-n --" ] || exit 9; shift 2; AS_ROOT=1 exec "$@"');
    const root = await connectAsRoot();
    expect(await run(root, ["printenv", "AS_ROOT"])).toBe("1\n");
    expect(await root.exec(["printenv", "AS_ROOT"], { asLoginUser: true })).toMatchObject({ code: 1 });
  });

  test("one that wants a password is refused with the line that sudoers lacks", async () => {
    await startWithSudo("echo 'sudo: a password is required' >&2; exit 1");
    await expect(connectAsRoot()).rejects.toMatchObject({
      code: "SUDO_REFUSED",
      exit: 4,
      hint: expect.arrayContaining([expect.stringContaining(`${withSudo.user} ALL=(root) NOPASSWD: ALL`)]),
    });
  });
});
