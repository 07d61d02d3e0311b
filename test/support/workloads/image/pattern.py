"""A memory of known pattern whose checksum it serves, and a 5 ms tick that remembers its longest gap.

    pattern.py NAME PORT MEGABYTES [COLLECTOR]
"""
import hashlib
import struct
import sys
import threading
import time

import service

PAGE = 4096
MEGABYTE = 1 << 20


def patterned(megabytes):
    """No two pages alike, so that neither zero pages nor a page in the wrong place goes unnoticed."""
    memory = memoryview(bytearray(megabytes * MEGABYTE))
    filler = bytes(range(1, 256)) * 18
    for page in range(len(memory) // PAGE):
        start = page * PAGE
        memory[start:start + PAGE] = filler[page % 251:page % 251 + PAGE]
        struct.pack_into("<Q", memory, start, page)
    return memory


class Ticker(threading.Thread):
    """What a client of this very process would call the blackout, on CLOCK_MONOTONIC."""

    def __init__(self):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        with self.lock:
            self.count = 0
            self.longest = (0.0, 0.0)

    def run(self):
        last = time.monotonic()
        while True:
            time.sleep(0.005)
            now = time.monotonic()
            self.note(last, now)
            last = now

    def note(self, begin, end):
        with self.lock:
            self.count += 1
            if end - begin > self.longest[1] - self.longest[0]:
                self.longest = (begin, end)

    def told(self):
        with self.lock:
            begin, end = self.longest
            return {"count": self.count, "longestMs": (end - begin) * 1000, "begin": begin, "end": end}

    def told_and_reset(self):
        told = self.told()
        self.reset()
        return told


def main(name, port, megabytes, collector=None):
    memory = patterned(int(megabytes))
    counter, ticker = service.Counter(), Ticker()
    ticker.start()
    if collector:
        service.Heartbeat(name, collector).start()
    service.serve(int(port), counter, {
        "GET /memory": lambda: {"bytes": len(memory), "sha256": hashlib.sha256(memory).hexdigest()},
        "GET /ticks": ticker.told,
        "POST /ticks/reset": ticker.told_and_reset,
    })


if __name__ == "__main__":
    main(*sys.argv[1:])
