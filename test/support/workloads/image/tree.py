"""A tree of 16 workers, each with a thread: a ring of pipes between them, one shared memory under all of them.

    tree.py NAME PORT [COLLECTOR]

`POST /verify` sends a word round the ring; every worker adds what it sees. `POST /fork` does the same and every
worker forks. What comes back is told as it is: the tests judge it.
"""
import hashlib
import json
import mmap
import os
import secrets
import struct
import sys
import threading
import time
import warnings

import service

WORKERS = 16
SLOT = 64
WORD = 32
PRIVATE = 1 << 20

warnings.simplefilter("ignore", DeprecationWarning)


class Shared:
    """Anonymous shared memory: a word from the parent, then one slot of three numbers for each worker."""

    def __init__(self):
        self.memory = mmap.mmap(-1, WORD + WORKERS * SLOT)

    @property
    def word(self):
        return self.memory[:WORD].decode()

    @word.setter
    def word(self, value):
        self.memory[:WORD] = value.encode()

    def get(self, worker, field):
        return struct.unpack_from("<Q", self.memory, WORD + worker * SLOT + 8 * field)[0]

    def raise_(self, worker, field):
        struct.pack_into("<Q", self.memory, WORD + worker * SLOT + 8 * field, self.get(worker, field) + 1)


ROUNDS, THREAD_TICKS, CHILD_TICKS = range(3)


class Worker:
    """One of the sixteen: reads a line from the pipe before it, adds its own account, writes to the next."""

    def __init__(self, number, shared, before, after):
        self.number, self.shared = number, shared
        self.before, self.after = os.fdopen(before, "r"), os.fdopen(after, "w")
        self.boot = secrets.token_hex(8)
        self.private = bytearray(os.urandom(PRIVATE))
        self.digest = hashlib.sha256(self.private).hexdigest()
        self.lasting = []

    def run(self):
        threading.Thread(target=self.tick, daemon=True).start()
        for line in self.before:
            asked = json.loads(line)
            self.shared.raise_(self.number, ROUNDS)
            asked["accounts"].append(self.account() | (self.fork(asked["hop"]) if asked["fork"] else {}))
            print(json.dumps(asked), file=self.after, flush=True)

    def tick(self):
        while True:
            self.shared.raise_(self.number, THREAD_TICKS)
            time.sleep(0.01)

    def account(self):
        return {
            "worker": self.number,
            "pid": os.getpid(),
            "parent": os.getppid(),
            "uid": os.getuid(),
            "boot": self.boot,
            "memoryIntact": hashlib.sha256(self.private).hexdigest() == self.digest,
            "word": self.shared.word,
            "threads": threading.active_count(),
            "lasting": [pid for pid in self.lasting if os.waitpid(pid, os.WNOHANG) == (0, 0)],
        }

    def fork(self, hop):
        """One child that ends at once, whose exit status has to arrive; in one worker of each hop, one that stays."""
        child = os.fork()
        if child == 0:
            os._exit(7)
        ended, status = os.waitpid(child, 0)
        if hop % WORKERS == self.number:
            self.lasting.append(self.stay())
        return {"child": ended, "childExit": os.waitstatus_to_exitcode(status)}

    def stay(self):
        child = os.fork()
        while child == 0:
            self.shared.raise_(self.number, CHILD_TICKS)
            time.sleep(0.01)
        return child


class Ring:
    """The parent's side: sends a line into the first pipe and takes it from the last."""

    def __init__(self):
        self.shared = Shared()
        self.shared.word = secrets.token_hex(WORD // 2)
        self.lock = threading.Lock()
        pipes = [os.pipe() for _ in range(WORKERS + 1)]
        self.pids = [self.spawn(number, pipes) for number in range(WORKERS)]
        self.first, self.last = os.fdopen(pipes[0][1], "w"), os.fdopen(pipes[-1][0], "r")
        self.hops = 0

    def spawn(self, number, pipes):
        pid = os.fork()
        if pid == 0:
            Worker(number, self.shared, pipes[number][0], pipes[number + 1][1]).run()
            os._exit(1)
        return pid

    def ask(self, fork):
        with self.lock:
            self.hops += fork
            self.shared.word = secrets.token_hex(WORD // 2)
            print(json.dumps({"fork": fork, "hop": self.hops, "accounts": []}), file=self.first, flush=True)
            accounts = json.loads(self.last.readline())["accounts"]
            return {"word": self.shared.word, "pids": self.pids, "hops": self.hops, "slots": self.slots(), "accounts": accounts}

    def slots(self):
        fields = {"rounds": ROUNDS, "threadTicks": THREAD_TICKS, "childTicks": CHILD_TICKS}
        return [{name: self.shared.get(worker, at) for name, at in fields.items()} for worker in range(WORKERS)]


def main(name, port, collector=None):
    ring = Ring()  # Forks: before this process has threads.
    if collector:
        service.Heartbeat(name, collector).start()
    service.serve(int(port), service.Counter(), {
        "POST /verify": lambda: ring.ask(False),
        "POST /fork": lambda: ring.ask(True),
    })


main(*sys.argv[1:])
