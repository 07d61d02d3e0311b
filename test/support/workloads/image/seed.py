"""A server that sends one numbered packet a second, with a memory of which so much is written anew all the time.

    seed.py NAME PORT MEGABYTES PERCENT_PER_SECOND [COLLECTOR]

`GET /packets?after=N` sends the packets after number N, then each one as it comes: `[12] 07:01:14`. Whoever lost the
connection asks again with the last number seen. `POST /verify` compares every page with what was written to it.
"""
import ctypes
import mmap
import random
import struct
import sys
import threading
import time
import zlib
from urllib.parse import parse_qs, urlparse

import pattern
import service

TICK = 0.02
# linux/prctl.h
PR_SET_THP_DISABLE = 41
# Of each page: its number, and how often it was written.
HEAD = 16


def without_huge_pages():
    """They are dirty as a whole: scattered writes would leave nothing clean. Redis does so too. MADV_NOHUGEPAGE would not
    do: CRIU fills what it restores before it applies that."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_THP_DISABLE")


def mapped(memory):
    """A copy in pages of its own."""
    pages = mmap.mmap(-1, len(memory), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages[:] = memory
    return memoryview(pages)


class Memory(threading.Thread):
    """Pages are written at random places, each with its number and how often it was written."""

    def __init__(self, megabytes, percent):
        super().__init__(daemon=True)
        self.pages = mapped(pattern.patterned(megabytes))
        self.count = len(self.pages) // pattern.PAGE
        self.written = [0] * self.count
        for page in range(self.count):
            struct.pack_into("<QQ", self.pages, page * pattern.PAGE, page, 0)
        self.rate = self.count * percent / 100
        self.lock = threading.Lock()

    def run(self):
        last, owed = time.monotonic(), 0.0
        while True:
            time.sleep(TICK)
            now = time.monotonic()
            # A move may set the clock forwards or backwards: what it jumps over is not made up for.
            owed += self.rate * min(max(now - last, 0), 5 * TICK)
            last = now
            with self.lock:
                for _ in range(int(owed)):
                    self.write(random.randrange(self.count))
            owed %= 1

    def write(self, page):
        self.written[page] += 1
        struct.pack_into("<QQ", self.pages, page * pattern.PAGE, page, self.written[page])

    def verified(self):
        with self.lock:
            wrong = [page for page in range(self.count) if not self.is_right(page)]
            return {"pages": self.count, "wrong": wrong[:10], "writes": sum(self.written), "rest": self.rest()}

    def rest(self):
        """A checksum of what is never written again."""
        checksum = 0
        for start in range(0, len(self.pages), pattern.PAGE):
            checksum = zlib.crc32(self.pages[start + HEAD:start + pattern.PAGE], checksum)
        return checksum

    def is_right(self, page):
        return struct.unpack_from("<QQ", self.pages, page * pattern.PAGE) == (page, self.written[page])


class Packets(threading.Thread):
    """Numbered packets, one a second; those who listen are told of each."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sent = []
        self.news = threading.Condition()

    def run(self):
        while True:
            with self.news:
                self.sent.append(time.strftime("%H:%M:%S"))
                self.news.notify_all()
            time.sleep(1)

    def after(self, number):
        """Every packet from that number on, for ever."""
        while True:
            with self.news:
                self.news.wait_for(lambda: len(self.sent) > number)
                told = self.sent[number]
            yield f"[{number}] {told}\n"
            number += 1


class Answers(service.Answers):
    packets = None

    def do_GET(self):
        asked = urlparse(self.path)
        if asked.path != "/packets":
            return self.answer()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        for packet in self.packets.after(int(parse_qs(asked.query).get("after", ["-1"])[0]) + 1):
            self.wfile.write(packet.encode())


def main(name, port, megabytes, percent, collector=None):
    without_huge_pages()
    memory = Memory(int(megabytes), float(percent))
    Answers.packets = Packets()
    for thread in (memory, Answers.packets):
        thread.start()
    if collector:
        service.Heartbeat(name, collector).start()
    service.serve(int(port), service.Counter(), {
        "GET /memory": lambda: {"bytes": len(memory.pages)},
        "POST /verify": memory.verified,
    }, Answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
