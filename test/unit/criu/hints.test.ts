import { expect, test } from "@jest/globals";
import { hintFor, hints } from "../../../src/criu/hints.js";

/** Lines as CRIU 4.1 and 4.2 write them, and a word of the advice that belongs to each. */
const recorded: [line: string, advice: RegExp][] = [
  ["Error (criu/image.c:845): Can't write img file: No space left on device", /room/],
  ["Error (criu/cr-restore.c:1230): Can't fork for 1004: Cannot allocate memory", /Memory/],
  ["Error (criu/pie/restorer.c:317): Unable to drop capability 24: -1", /SETPCAP/],
  [
    "Error (compel/src/lib/ptrace.c:27): suspending seccomp failed: Operation not permitted",
    /seccomp=unconfined/,
  ],
  ["Error (criu/cr-dump.c:388): Can't get rlimit 0: Operation not permitted", /one user/],
  ["Error (criu/cr-restore.c:1230): Can't fork for 21: File exists", /has a PID/],
  [
    "Error (criu/files-reg.c:2353): Can't open file srv/extra.txt on restore: No such file or directory",
    /missing at the destination/,
  ],
  ["Error (criu/files-reg.c:2175): File srv/extra.txt has bad size 3 (expect 4)", /`preserve`/],
  ["Error (criu/files-reg.c:2153): File usr/bin/python3.13 has bad build-ID", /must be the same/],
  [
    "Error (criu/cr-dump.c:478): Task 1015 with SysVIPC shmem map @7f5dccb9b000 doesn't live in IPC ns",
    /libfastmig-shm.so/,
  ],
  [
    "Error (criu/files-reg.c:1031): Can't dump ghost file /tmp/x of 314572800 size, increase limit",
    /deleted file open/,
  ],
  [
    "Error (criu/files-reg.c:1122): Can't create link remap for /srv/x. Use link-remap option.",
    /another name/,
  ],
  [
    "Error (criu/files-reg.c:1790): Can't lookup mount=52 for fd=-3 path=/usr/bin/python3",
    /real file system/,
  ],
  [
    "Error (criu/files-ext.c:98): Can't dump file 5 of that type [600] (anon anon_inode:[io_uring])",
    /io_uring/,
  ],
  [
    "Error (criu/sockets.c:455): sockets: Can't get 1:16 opt: Operation not supported",
    /older than the kernel/,
  ],
  ["Error (criu/vdso.c:180): vdso: Unexpected rt vDSO area bounds", /too old for the kernel/],
  ["Error (criu/image.c:89): Not supported images version 2", /another version/],
  ["Error (criu/arch/x86/cpu.c:223): cpu: CPU instruction capabilities do not match run time", /CPU lacks/],
  [
    "Error (criu/arch/x86/crtools.c:395): FPU xsave area present, but host cpu doesn't support it",
    /CPU lacks/,
  ],
  [
    "Error (criu/sk-inet.c:199): inet: Connected TCP socket, consider using --tcp-established option.",
    /open connection/,
  ],
  [
    "Error (criu/sk-unix.c:874): unix: External socket is used. Consider using --ext-unix-sk option.",
    /outside its tree/,
  ],
  [
    "Error (criu/sk-inet.c:930): inet: Can't bind inet socket (id 5): Address already in use",
    /port of the service is taken/,
  ],
  [
    "Error (criu/sk-inet.c:930): inet: Can't bind inet socket (id 5): Cannot assign requested address",
    /address that the destination lacks/,
  ],
  ["Error (criu/fsnotify.c:284): fsnotify: Can't dump that handle", /inotify/],
  [
    "Error (criu/pstree.c:304): The root process 1000 is not a session leader. Consider using --shell-job option",
    /leads no session/,
  ],
  ["Error (criu/tty.c:1413): tty: Found slave peer without a master: /dev/pts/0", /terminal/],
  [
    "Error (criu/file-lock.c:110): Some file locks are hold by dumping tasks! You can try --file-locks to dump them.",
    /file lock/,
  ],
  ["Error (criu/cr-dump.c:1808): Timeout reached. Try to interrupt: 1", /state D/],
  ["Error (compel/src/lib/infect.c:181): SEIZE 1000: can't wait task: No child processes", /traced/],
  ["Error (criu/proc_parse.c:614): PID 1000 has uprobes vma. Consider using --allow-uprobes.", /probes/],
  ["Error (criu/mem.c:69): Can't reset 1000's dirty memory tracker: Invalid argument", /stop-and-copy/],
  ["Error (criu/cr-restore.c:2716): Can't restore cur > max for 1000.7", /ulimits/],
  [
    "Error (criu/proc_parse.c:760): Unsupported mapping found 00007f0000000000-00007f0000001000",
    /cannot dump/,
  ],
  ["Error (criu/util.c:1532): Can't open /proc/1/map_files: Permission denied", /refused by the kernel/],
];

test.each(recorded)("%s", (line, advice) => {
  expect(
    hintFor(`(00.001) Dumping 1000\n(00.002) ${line}\n(00.003) Error (criu/cr-dump.c:2120): Dumping FAILED.`),
  ).toMatch(advice);
});

test("only errors count, the first known one first, and what nobody knows has no hint", () => {
  expect(hintFor("(00.001) Info: No space left on device\n")).toBeUndefined();
  expect(
    hintFor(
      "(00.1) Error (criu/a.c:1): of no fame\n(00.2) Error (criu/image.c:845): No space left on device",
    ),
  ).toMatch(/room/);
  expect(hintFor("")).toBeUndefined();
});

test("every advice is a sentence, and met by a recorded line", () => {
  const met = new Set(recorded.map(([line]) => hintFor(line)));
  const unmet = hints.filter(({ advice }) => !met.has(advice)).map(({ cause }) => String(cause));
  expect(unmet).toEqual([]);
  for (const { advice } of hints) expect(advice).toMatch(/^[A-Z].*\.$/);
});
