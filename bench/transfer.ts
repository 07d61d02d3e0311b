/**
 * How fast, and with how much memory, images go from one daemon's transfer to the other's: two processes, each in a
 * network namespace of its own (root; else over loopback), TLS straight and a Unix socket.
 * Usage: transfer.mjs [--mb 300] [--runs 5] [--keep-files] [--node-flags "--max-semi-space-size=2"]
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Peer } from "../src/daemon/api.js";
import { connectPeer, type PeerClient } from "../src/daemon/transfer/client.js";
import type { TakeBundle } from "../src/daemon/transfer/line/serve.js";
import { createPeerListener, type PeerListener } from "../src/daemon/transfer/listener.js";
import { openReceiver, type Receiver } from "../src/daemon/transfer/receiver.js";
import { rehearse } from "../src/daemon/transfer/rehearsal.js";
import { receiveSegments } from "../src/daemon/transfer/segment-route.js";
import { createShipper } from "../src/daemon/transfer/shipper.js";

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const psk = "5e".repeat(32);
const address = { a: "198.18.77.1", b: "198.18.77.2" };

interface Figures {
  ms: number;
  cpuMs: number;
  idleMb: number;
  peakMb: number;
}

const { values } = parseArgs({
  options: {
    role: { type: "string", default: "main" },
    transport: { type: "string", default: "direct" },
    directory: { type: "string", default: "" },
    host: { type: "string", default: "127.0.0.1" },
    images: { type: "string", default: "/var/tmp" },
    mb: { type: "string", default: "300" },
    small: { type: "string", default: "100" },
    runs: { type: "string", default: "5" },
    /** The next run writes over the same files: leaves the kernel's search for fresh memory out of the figures. */
    "keep-files": { type: "boolean", default: false },
    "node-flags": { type: "string", default: "" },
  },
});

/** Of the direct way, at the destination. */
let listener: PeerListener | undefined;

switch (values.role) {
  case "main":
    await main();
    break;
  case "destination":
    await destination();
    break;
  case "source":
    await source();
    break;
  default:
    throw new Error(`no such role: ${values.role}`);
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(values.images ?? "", "fastmig-bench-"));
  const lab = process.getuid?.() === 0 ? namespaces() : undefined;
  try {
    writeImages(join(directory, "source"), Number(values.mb) * 1e6, Number(values.small));
    for (const transport of ["direct", "relay"]) {
      for (let run = 0; run < Number(values.runs); run++)
        await once1(transport, directory, lab !== undefined);
    }
  } finally {
    lab?.remove();
    rmSync(directory, { recursive: true });
  }
}

async function once1(transport: string, directory: string, apart: boolean): Promise<void> {
  const host = apart ? address.b : "127.0.0.1";
  const to = join(directory, "destination");
  mkdirSync(join(to, "images"), { recursive: true, mode: 0o700 });
  const args = ["--transport", transport, "--directory", directory, "--host", host];
  const receiving = child("destination", args, apart ? "b" : undefined);
  await line(receiving);
  const sending = child("source", args, apart ? "a" : undefined);
  const sent = JSON.parse(await line(sending)) as Figures;
  receiving.stdin?.end();
  const got = JSON.parse(await line(receiving)) as Figures;
  rmSync(values["keep-files"] ? join(to, "journal") : to, { recursive: true });
  const rate = (Number(values.mb) * 1000) / sent.ms;
  console.log(
    `${transport.padEnd(7)} ${rate.toFixed(0).padStart(5)} MB/s  ` +
      `source: cpu ${sent.cpuMs.toFixed(0)} ms, idle ${sent.idleMb.toFixed(0)} MB, peak ${sent.peakMb.toFixed(0)} MB  ` +
      `destination: cpu ${got.cpuMs.toFixed(0)} ms, idle ${got.idleMb.toFixed(0)} MB, peak ${got.peakMb.toFixed(0)} MB`,
  );
}

function child(role: string, args: string[], namespace: string | undefined): ChildProcess {
  const flags = (values["node-flags"] ?? "").split(" ").filter((flag) => flag !== "");
  const node = [
    process.execPath,
    ...process.execArgv,
    ...flags,
    fileURLToPath(import.meta.url),
    "--role",
    role,
    ...args,
  ];
  const argv = namespace === undefined ? node : ["nsenter", `--net=/run/netns/fmbench-${namespace}`, ...node];
  return spawn(argv[0] ?? "", argv.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
}

async function line(from: ChildProcess): Promise<string> {
  const ended = once(from, "exit").then(() =>
    Promise.reject(new Error(`${from.spawnargs.join(" ")}: ended early`)),
  );
  const [text] = (await Promise.race([once(from.stdout!, "data"), ended])) as [Buffer];
  return text.toString();
}

async function destination(): Promise<void> {
  const idleMb = status("VmRSS");
  const receiver = await openReceiver({
    directory: join(values.directory, "destination", "images"),
    journal: join(values.directory, "destination", "journal"),
    maxTotal: 1e11,
  });
  const answer = async (request: IncomingMessage): Promise<object> => {
    if (request.url?.endsWith("/line") && listener) return listener.issueLine();
    await receiveSegments(request, receiver);
    return {};
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request).then(
      (body) => response.end(JSON.stringify(body)),
      (thrown: unknown) => {
        console.error(thrown);
        response.writeHead(400).end(JSON.stringify({ error: { code: "BENCH", message: String(thrown) } }));
      },
    );
  };
  const cpu = process.cpuUsage();
  const close = await listen(handler, receiver);
  console.log("ready");
  for await (const _ of process.stdin);
  await close();
  console.log(JSON.stringify(figures(0, cpu, idleMb)));
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  receiver: Receiver,
): Promise<() => Promise<void>> {
  if (values.transport === "direct") {
    const answers = { http: handler, json: async () => ({ status: 404, json: {} }) };
    const take: TakeBundle = (fill) => receiver.receive(fill, true);
    listener = await createPeerListener({ port: 7977, host: values.host, id, psk, answers, take });
    return listener.close;
  }
  const server = createServer(handler).listen(socketPath());
  await once(server, "listening");
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
}

async function source(): Promise<void> {
  const idleMb = status("VmRSS");
  const client = connectPeer(peer(), { id });
  await rehearse(client, Number(values.mb) * 1e6, AbortSignal.timeout(10_000));
  const cpu = process.cpuUsage();
  const start = performance.now();
  await ship(client);
  const ms = performance.now() - start;
  client.close();
  console.log(JSON.stringify(figures(ms, cpu, idleMb)));
}

function peer(): Peer {
  return values.transport === "direct"
    ? { transport: "direct", host: values.host, port: 7977, psk }
    : { transport: "relay", socket: socketPath() };
}

async function ship(client: PeerClient): Promise<void> {
  const root = join(values.directory, "source");
  const shipper = createShipper({
    root,
    directories: ["final", ""],
    client,
    signal: AbortSignal.timeout(60_000),
    onProgress: () => undefined,
  });
  await shipper.finish();
  await shipper.close();
}

function figures(ms: number, before: NodeJS.CpuUsage, idleMb: number): Figures {
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000, idleMb, peakMb: status("VmHWM") };
}

/** Megabytes of one line of /proc/self/status. */
function status(key: string): number {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  return (Number(found?.[1]) * 1024) / 1e6;
}

function socketPath(): string {
  return join(values.directory, "destination", "peer.sock");
}

function writeImages(directory: string, size: number, small: number): void {
  mkdirSync(join(directory, "final"), { recursive: true });
  const page = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 64) page.writeUInt32LE((at * 2654435761) >>> 0, at);
  writeFileSync(join(directory, "final", "pages-1.img"), page);
  for (let i = 0; i < small; i++)
    writeFileSync(join(directory, "final", `core-${1000 + i}.img`), page.subarray(0, 2000));
}

function namespaces(): { remove: () => void } {
  const ip = (...args: string[]): Buffer => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
  const remove = (): void => {
    for (const end of ["a", "b"]) {
      try {
        ip("netns", "del", `fmbench-${end}`);
      } catch {
        continue; // it was not there
      }
    }
  };
  remove();
  ip("netns", "add", "fmbench-a");
  ip("netns", "add", "fmbench-b");
  ip("link", "add", "fmb", "netns", "fmbench-a", "type", "veth", "peer", "name", "fmb", "netns", "fmbench-b");
  for (const end of ["a", "b"] as const) {
    ip("-n", `fmbench-${end}`, "addr", "add", `${address[end]}/30`, "dev", "fmb");
    ip("-n", `fmbench-${end}`, "link", "set", "fmb", "up");
    ip("-n", `fmbench-${end}`, "link", "set", "lo", "up");
  }
  return { remove };
}
