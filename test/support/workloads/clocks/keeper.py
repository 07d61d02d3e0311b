"""As keeper.c, by what Python has: each ends in a wait of the C library's for an absolute time."""
import json
import queue
import select
import threading
import time

PERIOD = 0.4
kept = {}


def keep(name, wait):
    kept[name] = [0, 0.0, 0]
    while True:
        until = time.monotonic() + PERIOD
        wait()
        late = time.monotonic() - until
        count, worst, early = kept[name]
        # Python rounds a timeout to what the call that it goes by can take.
        kept[name] = [count + 1, max(worst, round(late * 1000, 1)), early + (late < -0.002)]


def held_lock():
    lock = threading.Lock()
    lock.acquire()
    return lock


def condition_wait():
    condition = threading.Condition()
    with condition:
        condition.wait(PERIOD)


def queue_get():
    try:
        queue.Queue().get(timeout=PERIOD)
    except queue.Empty:
        pass


lock = held_lock()
for name, wait in {
    "sleep": lambda: time.sleep(PERIOD),
    "lock": lambda: lock.acquire(timeout=PERIOD),
    "condition": condition_wait,
    "event": lambda: threading.Event().wait(PERIOD),
    "queue": queue_get,
    "select": lambda: select.select([], [], [], PERIOD),
}.items():
    threading.Thread(target=keep, args=(name, wait), daemon=True).start()

back, before, lines = 0, time.monotonic(), 0
while True:
    time.sleep(0.001)
    now = time.monotonic()
    back += now < before
    before = now
    lines += 1
    if lines % 200 == 0:
        boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
        print(json.dumps({"monotonic": now, "boottime": boottime, "back": back, "kept": kept}), flush=True)
