import { errorLines } from "./log.js";

interface Hint {
  cause: RegExp;
  advice: string;
}

/**
 * What users meet, and what to do about it; the first cause that an error line of the log names counts.
 * The patterns are the messages of CRIU 4.2's own source (criu/*.c, criu/pie/restorer.c, compel/src/lib/*.c).
 */
export const hints: readonly Hint[] = [
  {
    cause: /No space left on device/,
    advice:
      "The directory of the images is full: give it more room, or let images go to the state directory on disk.",
  },
  {
    cause: /Cannot allocate memory|Out of memory|killed by signal 9/,
    advice:
      "Memory ran out, or the limit of the container's cgroup was met: it has to hold the images and the processes at once.",
  },
  {
    cause: /Unable to drop capability|Unable to (restore|raise ambient) capabilit/,
    advice:
      "The container lacks a capability: create it with --cap-add SETPCAP (with CHECKPOINT_RESTORE and SYS_PTRACE).",
  },
  {
    cause: /suspending seccomp failed|suspend seccomp/,
    advice:
      "The container runs under a seccomp filter, and CRIU may not suspend the service's: create it with --security-opt seccomp=unconfined.",
  },
  {
    cause: /Can't get rlimit|can't dump unprivileged task/,
    advice:
      "A process belongs to another user than the service's root process: all processes of a service must run as one user.",
  },
  {
    cause: /Can't fork for \d+: File exists|Pid \d+ do not match expected/,
    advice:
      "A process of the destination's container has a PID that the service needs: restart the standby container, so that nothing of an earlier attempt is left.",
  },
  {
    cause: /Can't open file .* on restore: No such file/,
    advice:
      "A file that the service has open is missing at the destination: name its path under `preserve`, or bring it there first.",
  },
  {
    cause: /has bad (size|build-ID|mode)/,
    advice:
      "A file that the service has open is another one at the destination: the images of both containers must be the same, and what changed belongs under `preserve`.",
  },
  {
    cause: /with SysVIPC shmem map/,
    advice:
      "The service shares memory in System V's way, as PostgreSQL does: start it with LD_PRELOAD: /usr/lib/fastmig/libfastmig-shm.so in `env`, and name /dev/shm under `preserve` (docs/plan.md, Shared memory).",
  },
  {
    cause: /Can't dump ghost file .* increase limit/,
    advice:
      "The service holds a big deleted file open: let it close or rotate that file, then migrate again.",
  },
  {
    cause: /Can't create link remap/,
    advice:
      "The service holds a deleted file open that still has another name: let it close that file, then migrate again.",
  },
  {
    cause: /Can't lookup mount=/,
    advice:
      "A file of the service lies on a mount that CRIU cannot name (an overlay on an overlay, a mount that is gone): keep the container's storage on a real file system.",
  },
  {
    cause: /io_uring/,
    advice:
      "The service uses io_uring, which CRIU cannot dump: switch it off in the service (for Node: UV_USE_IO_URING=0).",
  },
  {
    cause: /Can't get 1:16 opt|getsockopt.*Operation not supported/,
    advice: "This CRIU is older than the kernel and cannot dump TCP sockets on it: take CRIU 4.2 or later.",
  },
  {
    cause: /Unexpected rt vDSO area bounds|Can't fixup vdso/,
    advice: "This CRIU is too old for the kernel: take CRIU 4.2 or later at both ends.",
  },
  {
    cause: /Not supported images version|Magic doesn't match|Head magic doesn't match/,
    advice:
      "The images come from another version of CRIU: the destination's must not be older than the source's.",
  },
  {
    cause:
      /CPU (instruction )?capabilities do not match|xsave (max )?size mismatch|FPU feature required|xfeatures has unsupported|xsave area present/,
    advice:
      "The destination's CPU lacks what the source's has: choose a node with at least the same features (`criu cpuinfo check`).",
  },
  {
    cause: /Connected TCP socket|tcp-established|In-flight connection/,
    advice: "An open connection is in the way: let its client close it, or migrate with connections closed.",
  },
  {
    cause:
      /External socket is used|half of stream unix connection|name-less external socket|External socket found/,
    advice:
      "The service is connected by a Unix socket to a process outside its tree: run both in one tree, or close the connection first.",
  },
  {
    cause: /bind.*Address already in use|Address already in use/,
    advice: "A port of the service is taken at the destination: stop what listens there.",
  },
  {
    cause: /Cannot assign requested address/,
    advice:
      "The service listens on an address that the destination lacks: bind it to all addresses, or give the container the same one.",
  },
  {
    cause: /inotify|fanotify|fsnotify|Can't dump that handle/,
    advice:
      "The service watches files (inotify) that CRIU cannot find again in a container: switch the watching off in the service.",
  },
  {
    cause: /is not a session leader|A session leader of|Can't find a session leader/,
    advice:
      "The service's root process leads no session, or one of its processes belongs to a session outside: start it by the daemon, not by hand.",
  },
  {
    cause: /tty|\/dev\/pts/,
    advice: "The service has a terminal open: run it without one (no -t), with its output into pipes.",
  },
  {
    cause: /Some file locks are hold|Unresolved lock found|Can ?not set (flock|posix lock|ofd lock)/,
    advice:
      "A file lock is shared with a process outside the service, or taken at the destination: release it first.",
  },
  {
    cause: /Timeout reached|Unable to freeze cgroup/,
    advice:
      "A process could not be stopped in time (often in uninterruptible I/O, state D): look at the node's disks and network file systems.",
  },
  {
    cause: /seize|SEIZE|PTRACE|ptrace/,
    advice:
      "A process could not be traced: no debugger may be attached to it, and the container needs --cap-add SYS_PTRACE.",
  },
  {
    cause: /uprobes vma/,
    advice: "A tracer has set probes in the service: take them away, start the service anew.",
  },
  {
    cause: /dirty.memory tracker|mem_dirty_track|soft.dirty/i,
    advice: "This kernel does not track dirty pages: use the strategy stop-and-copy.",
  },
  {
    cause: /rlimit|Can't restore cur > max/,
    advice:
      "A resource limit of the service is higher than the destination's container allows: raise the container's ulimits.",
  },
  {
    cause:
      /Can't dump file \d+ of that type|Can't handle non-regular mapping|Unsupported (mapping|proto|socket)/,
    advice:
      "The service holds something open that CRIU cannot dump (the log names it): close it or switch it off.",
  },
  {
    cause: /Permission denied|Operation not permitted/,
    advice:
      "CRIU was refused by the kernel: compare the container's capabilities and user with what `fastmig standby` creates.",
  },
];

/** One sentence of advice for the first error that is known; undefined where none is. */
export function hintFor(log: string): string | undefined {
  for (const line of errorLines(log)) {
    const hint = hints.find(({ cause }) => cause.test(line));
    if (hint !== undefined) return hint.advice;
  }
  return undefined;
}
