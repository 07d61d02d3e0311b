/** What daemon and init say to each other; the C side is native/init, the description native/README.md. */

/** Linux capability numbers (linux/capability.h) that a spawned process may be given. */
export const capability = {
  DAC_OVERRIDE: 1,
  SETPCAP: 8,
  NET_ADMIN: 12,
  SYS_PTRACE: 19,
  CHECKPOINT_RESTORE: 40,
} as const;

/**
 * `service`: /dev/null and the two kept pipes; `subreaper`: the same of a process that adopts its orphans. A file: stdin is /dev/null, both outputs are appended to it (0600, owned by uid).
 */
export type SpawnStdio = "service" | "subreaper" | { file: string };

export interface SpawnRequest {
  /** `[A-Za-z0-9._-]`, at most 63 bytes; comes back with the exit. `-` alone stands for adopted processes. */
  name: string;
  uid: number;
  gid: number;
  groups?: readonly number[];
  /** Capability numbers to keep as ambient ones. Where uid is not 0, everything else is dropped. */
  ambient?: readonly number[];
  /** The PID that the process must get (clone3 set_tid). Left out: the kernel's next one. */
  pid?: number;
  cwd: string;
  stdio: SpawnStdio;
  /** The service's stdout and stderr pipes additionally at descriptors 10 and 11, for CRIU's --inherit-fd. */
  inheritPipes?: boolean;
  /** argv[0] is looked up in the PATH of `env`. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Where `inheritPipes` puts the write ends of the service's pipes. */
export const inheritedPipeFds = { stdout: 10, stderr: 11 } as const;

export type ProcessEnd = { kind: "exited"; code: number } | { kind: "signaled"; signal: number };

export interface ExitEvent {
  pid: number;
  /** The spawn request's name; `-` for a process that init adopted, such as a restored tree's root. */
  name: string;
  /** Start in clock ticks since boot (/proc/PID/stat, field 22): tells one bearer of a PID from the next. */
  startTicks: number;
  end: ProcessEnd;
}

export interface LiveChild {
  pid: number;
  name: string;
  startTicks: number;
}

export type InitMode = "pid1" | "subreaper";

export type InitLine =
  | { kind: "hello"; version: number; mode: InitMode }
  | { kind: "answer"; id: number; ok: true; words: string[] }
  | { kind: "answer"; id: number; ok: false; reason: string }
  | { kind: "exited"; sequence: number; event: ExitEvent }
  | { kind: "lost"; count: number }
  | { kind: "signal"; signal: number };

/** A frame: u32 LE length of the payload, then each word and a NUL. Throws when a word contains a NUL itself. */
export function encodeRequest(id: number, words: readonly string[]): Buffer {
  const strings = [String(id), ...words];
  if (strings.some((word) => word.includes("\0")))
    throw new Error("a request to init cannot contain a NUL byte");
  const payload = Buffer.from(strings.map((word) => `${word}\0`).join(""));
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32LE(payload.length);
  payload.copy(frame, 4);
  return frame;
}

/** The words of a spawn request, in native/README.md's order. */
export function spawnWords(request: SpawnRequest): string[] {
  const env = Object.entries(request.env).map(([key, value]) => `${key}=${value}`);
  return [
    "spawn",
    request.name,
    String(request.uid),
    String(request.gid),
    (request.groups ?? []).join(","),
    (request.ambient ?? []).join(","),
    String(request.pid ?? 0),
    request.cwd,
    typeof request.stdio === "string" ? request.stdio : `file:${request.stdio.file}`,
    request.inheritPipes === true ? "pipes" : "",
    String(request.argv.length),
    ...request.argv,
    String(env.length),
    ...env,
  ];
}

/** Parses one line of init's, without its newline. Throws on anything that init does not say. */
export function parseInitLine(line: string): InitLine {
  const [kind, ...words] = line.split(" ");
  const parsed =
    kind === "hello"
      ? parseHello(words)
      : kind === "answer"
        ? parseAnswer(words)
        : kind === "event"
          ? parseEvent(words)
          : undefined;
  if (parsed === undefined) throw new Error(`init said something unknown: ${JSON.stringify(line)}`);
  return parsed;
}

/** The `PID:START:NAME` words of init's answer to `list`. */
export function parseLiveChild(word: string): LiveChild {
  const [pid, startTicks, name] = word.split(":");
  if (name === undefined) throw new Error(`init listed something unknown: ${JSON.stringify(word)}`);
  return { pid: Number(pid), startTicks: Number(startTicks), name };
}

function parseHello([version, mode]: string[]): InitLine | undefined {
  if (mode !== "pid1" && mode !== "subreaper") return undefined;
  return { kind: "hello", version: Number(version), mode };
}

function parseAnswer([id, verdict, ...words]: string[]): InitLine | undefined {
  if (verdict === "ok") return { kind: "answer", id: Number(id), ok: true, words };
  if (verdict === "error") return { kind: "answer", id: Number(id), ok: false, reason: words.join(" ") };
  return undefined;
}

function parseEvent([what, ...words]: string[]): InitLine | undefined {
  if (what === "signal") return { kind: "signal", signal: Number(words[0]) };
  if (what === "lost") return { kind: "lost", count: Number(words[0]) };
  return what === "exited" ? parseExited(words) : undefined;
}

/** SEQUENCE PID START NAME code|signal N */
function parseExited([sequence, pid, startTicks, name, how, number]: string[]): InitLine | undefined {
  const end = parseEnd(how, Number(number));
  const numbers = { sequence: Number(sequence), pid: Number(pid), startTicks: Number(startTicks) };
  if (name === undefined || end === undefined || !Object.values(numbers).every(Number.isInteger))
    return undefined;
  return {
    kind: "exited",
    sequence: numbers.sequence,
    event: { pid: numbers.pid, startTicks: numbers.startTicks, name, end },
  };
}

function parseEnd(how: string | undefined, number: number): ProcessEnd | undefined {
  if (!Number.isInteger(number)) return undefined;
  if (how === "code") return { kind: "exited", code: number };
  return how === "signal" ? { kind: "signaled", signal: number } : undefined;
}
