import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../src/wait.js";

export interface SshServerOptions {
  /** Lines of sshd_config; the first of a keyword counts, and these come first. */
  sshd?: string[];
  /** Types of host key. */
  hostKeys?: string[];
  /** Port 0: any. */
  port?: number;
}

/** A real sshd of this machine on a loopback port, with keys of its own, for whoever runs the tests. */
export class SshServer {
  readonly dir = mkdtempSync(join(tmpdir(), "fastmig-sshd-"));
  readonly user = userInfo().username;
  port = 0;
  #daemon: ChildProcess | undefined;
  #log = "";

  static async start(options: SshServerOptions = {}): Promise<SshServer> {
    const server = new SshServer();
    const hostKeys = options.hostKeys ?? ["ed25519"];
    for (const type of hostKeys) server.keygen(`host_${type}`, type);
    server.keygen("user", "ed25519");
    server.authorize("user");
    server.port = options.port || (await freePort());
    writeFileSync(server.path("sshd_config"), server.#config(hostKeys, options.sshd ?? []));
    await server.#run();
    server.trust();
    return server;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  keygen(name: string, type = "ed25519", passphrase = ""): void {
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", name, "-f", this.path(name)]);
  }

  authorize(...names: string[]): void {
    writeFileSync(this.path("authorized_keys"), names.map((name) => this.publicKey(name)).join(""));
  }

  publicKey(name: string): string {
    return readFileSync(this.path(`${name}.pub`), "utf8");
  }

  /** `[127.0.0.1]:port type key`, as a known_hosts file has it. */
  hostLine(type = "ed25519"): string {
    const [name, key] = this.publicKey(`host_${type}`).split(" ");
    return `[127.0.0.1]:${this.port} ${name} ${key}\n`;
  }

  trust(text = this.hostLine()): void {
    writeFileSync(this.path("known_hosts"), text);
  }

  /** Writes an ssh_config with the host `node`; the given lines come first, and before it the hosts in `more`. Returns its path. */
  clientConfig(lines: string[] = [], more = ""): string {
    const path = this.path("ssh_config");
    writeFileSync(path, `${more}\n${this.host("node", lines)}`);
    return path;
  }

  /** A host of an ssh_config that leads here. */
  host(alias: string, lines: string[] = []): string {
    const key = lines.some((line) => line.startsWith("IdentityFile "))
      ? []
      : [`IdentityFile ${this.path("user")}`];
    const own = [
      "HostName 127.0.0.1",
      `Port ${this.port}`,
      `User ${this.user}`,
      ...key,
      "IdentityAgent none",
      `UserKnownHostsFile ${this.path("known_hosts")}`,
      "GlobalKnownHostsFile /dev/null",
      "HashKnownHosts no",
    ];
    return `Host ${alias}\n${[...lines, ...own].map((line) => `  ${line}\n`).join("")}`;
  }

  /** Ends every connection's sshd, as a reboot would, without a word to the client. */
  cut(): void {
    for (const pid of descendants(this.#daemon?.pid ?? 0).filter((pid) => commandOf(pid).startsWith("sshd")))
      kill(pid);
  }

  /** What sshd logged. */
  log(): string {
    return this.#log;
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon && daemon.exitCode === null) {
      const ended = once(daemon, "exit");
      for (const pid of descendants(daemon.pid ?? 0)) kill(pid);
      daemon.kill("SIGKILL");
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #config(hostKeys: string[], first: string[]): string {
    const lines = [
      ...first,
      "ListenAddress 127.0.0.1",
      `Port ${this.port}`,
      ...hostKeys.map((type) => `HostKey ${this.path(`host_${type}`)}`),
      `AuthorizedKeysFile ${this.path("authorized_keys")}`,
      "PidFile none",
      // The tests' login shell reads no start files of whoever runs them.
      `SetEnv HOME=${this.dir}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin yes",
      "MaxStartups 100",
    ];
    return lines.join("\n") + "\n";
  }

  async #run(): Promise<void> {
    // Where sshd separates its privileges it wants this directory, which nothing makes where no sshd is set up.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const daemon = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", this.path("sshd_config")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    daemon.stderr.on("data", (chunk: Buffer) => (this.#log += chunk.toString()));
    this.#daemon = daemon;
    await waitFor("sshd", () => Promise.resolve(this.#log.includes("Server listening") || undefined), {
      timeout: 10_000,
    });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function descendants(parent: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
  return [...children.flatMap(descendants), ...children];
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(procFile(pid, "status"))?.[1]);
}

function commandOf(pid: number): string {
  return procFile(pid, "cmdline").replaceAll("\0", " ");
}

/** Empty where the process has ended in the meantime. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in the meantime.
  }
}
