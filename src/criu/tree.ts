/** What is in a dump: its processes, their memory, files and sockets. Pure: somebody else reads the images. */
import { type Message, messagesOf } from "./images.js";

export interface DumpedFile {
  fd: number;
  /** `file`, `pipe`, `fifo`, `tcp`, `udp`, `unix`, `eventfd`, `eventpoll`, `timerfd` … */
  kind: string;
  /** A path, or addresses and state. */
  text: string;
}

export interface DumpedProcess {
  pid: number;
  parent: number;
  name: string;
  threads: number;
  /** Bytes that are in the image. */
  memory: number;
  files: DumpedFile[];
}

/** Reads an image by its name; undefined: there is none. */
export type ReadImage = (name: string) => Promise<Buffer | undefined>;

const pageSize = 4096;
const present = 4;

/** Parents first. Throws where the images are not as CRIU writes them. */
export async function readDump(read: ReadImage): Promise<DumpedProcess[]> {
  const files = await readFiles(read);
  const tree = await messagesIn(read, "pstree.img");
  const processes: DumpedProcess[] = [];
  for (const entry of tree) processes.push(await readProcess(read, entry, files));
  return processes;
}

async function readProcess(
  read: ReadImage,
  entry: Message,
  files: ReadonlyMap<number, Pick<DumpedFile, "kind" | "text">>,
): Promise<DumpedProcess> {
  const pid = entry.number(1);
  const [core] = await messagesIn(read, `core-${pid}.img`);
  const [ids] = await messagesIn(read, `ids-${pid}.img`);
  const open = ids === undefined ? [] : await messagesIn(read, `fdinfo-${ids.number(2)}.img`);
  return {
    pid,
    parent: entry.number(2),
    name: core?.message(3)?.text(6) ?? "",
    threads: Math.max(1, entry.numbers(5).length),
    memory: await memoryOf(read, pid),
    files: open.map((one) => ({
      fd: one.number(4),
      ...(files.get(one.number(1)) ?? { kind: kinds[one.number(3)] ?? "other", text: "" }),
    })),
  };
}

/** Of the pages that the image itself holds. */
async function memoryOf(read: ReadImage, pid: number): Promise<number> {
  const [, ...runs] = await messagesIn(read, `pagemap-${pid}.img`);
  const pages = runs
    .filter((run) => (run.number(4) & present) !== 0)
    .reduce((sum, run) => sum + (run.number(5) || run.number(2)), 0);
  return pages * pageSize;
}

/** `fd_types` of images/fdinfo.proto. */
const kinds = [
  ...["", "file", "pipe", "fifo", "inet", "unix", "eventfd", "eventpoll", "inotify", "signalfd", "packet"],
  ...["tty", "fanotify", "netlink", "namespace", "tun", "external", "timerfd", "memfd", "bpf", "pidfd"],
];

async function readFiles(read: ReadImage): Promise<Map<number, Pick<DumpedFile, "kind" | "text">>> {
  const entries = await messagesIn(read, "files.img");
  return new Map(entries.map((entry) => [entry.number(2), describe(entry)]));
}

/** A `file_entry`: its type, and the message of that type. */
function describe(entry: Message): Pick<DumpedFile, "kind" | "text"> {
  const kind = kinds[entry.number(1)] ?? "other";
  const inet = entry.message(4);
  if (inet !== undefined) return describeInet(inet);
  const [file, unix, pipe] = [entry.message(3), entry.message(16), entry.message(18)];
  if (file !== undefined) return { kind, text: file.text(6) };
  if (unix !== undefined) return { kind, text: unixName(unix.text(11)) };
  return { kind, text: pipe === undefined ? "" : `pipe ${pipe.number(2)}` };
}

/** An abstract name begins with a NUL, which is shown as `@`. */
const unixName = (name: string): string => name.replace(/^\0/, "@").replace(/\0+$/, "");

const protocols: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 136: "udplite" };
/** Of the kernel's TCP states those that a dump meets. */
const states: Readonly<Record<number, string>> = { 1: "established", 7: "closed", 10: "listening" };

function describeInet(socket: Message): Pick<DumpedFile, "kind" | "text"> {
  const from = address(socket.numbers(11), socket.number(7));
  const to = socket.number(8) === 0 ? [] : ["→", address(socket.numbers(12), socket.number(8))];
  const kind = protocols[socket.number(5)] ?? "inet";
  const state = kind === "tcp" ? [states[socket.number(6)] ?? `state ${socket.number(6)}`] : [];
  return { kind, text: [from, ...to, ...state].join(" ") };
}

/** CRIU keeps the bytes of an address as they lie in memory, four to a number. */
function address(words: readonly number[], port: number): string {
  const bytes = words.flatMap((word) => [
    word & 0xff,
    (word >>> 8) & 0xff,
    (word >>> 16) & 0xff,
    word >>> 24,
  ]);
  if (bytes.length === 4) return `${bytes.join(".")}:${port}`;
  const groups = bytes.flatMap((byte, at) => (at % 2 === 0 ? [(byte << 8) | (bytes[at + 1] ?? 0)] : []));
  const text = groups.map((group) => group.toString(16)).join(":");
  return `[${text.replace(/(^|:)0(:0)+(:|$)/, "::")}]:${port}`;
}

async function messagesIn(read: ReadImage, name: string): Promise<Message[]> {
  const image = await read(name);
  if (image === undefined) return [];
  const found = messagesOf(image);
  if (found === undefined) throw new Error(`${name} is not as CRIU writes it`);
  return found;
}
