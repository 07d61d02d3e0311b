"""Memory that packs as much memory does: words and numbers, no two pages alike, in one process or in several.

    text.py NAME PORT MEGABYTES [PROCESSES]
"""
import os
import random
import struct
import sys
import time

import service

PAGE = 4096
MEGABYTE = 1 << 20
BLOCK = 8 * MEGABYTE


def block():
    """Words of a small vocabulary and random bytes between them: lz4 makes about half of it."""
    source = random.Random(1)
    words = [bytes(source.choices(b"etaoinshrdlucmfw", k=source.randint(2, 9))) for _ in range(2000)]
    text = bytearray()
    while len(text) < BLOCK:
        text += b" ".join(source.choices(words, k=400)) + source.randbytes(400)
    return bytes(text[:BLOCK])


def fill(megabytes):
    text = block()
    memory = memoryview(bytearray(megabytes * MEGABYTE))
    for start in range(0, len(memory), BLOCK):
        part = memory[start:start + BLOCK]
        part[:] = text[:len(part)]
        for page in range(0, len(part), PAGE):
            struct.pack_into("<Q", part, page, start + page)
    return memory


def main(name, port, megabytes, processes="1"):
    share = int(megabytes) // int(processes)
    for _ in range(int(processes) - 1):
        if os.fork() == 0:
            memory = fill(share)
            while memory:
                time.sleep(60)
    memory = fill(share)
    service.serve(int(port), service.Counter(), {"GET /memory": lambda: {"bytes": len(memory)}})


if __name__ == "__main__":
    main(*sys.argv[1:])
