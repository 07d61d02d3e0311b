"""The memory torture program (test/support/workloads/torture) behind HTTP; its process tree is ours.

    torture.py NAME PORT MEGABYTES PAGES_PER_SECOND CHURN_MS [COLLECTOR]
"""
import json
import os
import subprocess
import sys
import threading

import service

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torture")


class Torture:
    """One question at a time, one line each way."""

    def __init__(self, megabytes, rate, churn):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [PROGRAM, megabytes, rate, churn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, words):
        with self.lock:
            print(words, file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())


def main(name, port, megabytes, rate, churn, collector=None):
    torture = Torture(megabytes, rate, churn)
    if collector:
        service.Heartbeat(name, collector).start()
    service.serve(int(port), service.Counter(), {
        "GET /memory": lambda: {"bytes": int(megabytes) << 20},
        "POST /verify": lambda: torture.ask("verify"),
        "POST /flip": lambda: torture.ask("flip 77"),
    })


main(*sys.argv[1:])
