"""Numbered lines on standard output, twenty a second; SIGTERM ends it with 3 after a last one.

    lines.py [MEGABYTES]
"""
import itertools
import os
import signal
import sys
import time

memory = bytearray(os.urandom(1 << 20)) * int(sys.argv[1] if len(sys.argv) > 1 else 1)


def farewell(*_):
    print("bye", flush=True)
    os._exit(3)


signal.signal(signal.SIGTERM, farewell)
for number in itertools.count(1):
    print(f"line {number} of {os.getpid()} as {os.getuid()}", flush=True)
    time.sleep(0.05)
