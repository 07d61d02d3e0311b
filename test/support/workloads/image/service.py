"""What every workload shares: a heartbeat, a counter that clients raise, JSON over HTTP."""
import json
import os
import secrets
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Made once, when the program starts: only the same process's memory can know it again.
BOOT = secrets.token_hex(8)
STARTED_AT = time.time()

# A file that stays open for as long as the program runs, where a test asks for one.
HELD = open(os.environ["HOLD_OPEN"]) if "HOLD_OPEN" in os.environ else None


class Counter:
    """Raised by clients; every answer is one more than the one before, whoever asks."""

    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def raised(self):
        with self.lock:
            self.value += 1
            return self.value


class Heartbeat(threading.Thread):
    """A datagram every 20 ms: two copies of this process would send the same number twice."""

    def __init__(self, service, collector):
        super().__init__(daemon=True)
        self.service = service
        host, port = collector.rsplit(":", 1)
        self.collector = (host, int(port))
        # Not connected: the address that the node gives us may differ after a move.
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.number = 0

    def run(self):
        while True:
            self.number += 1
            self.send()
            time.sleep(0.02)

    def send(self):
        beat = {"service": self.service, "boot": BOOT, "seq": self.number, "at": time.monotonic_ns()}
        try:
            self.socket.sendto(json.dumps(beat).encode(), self.collector)
        except OSError:
            pass  # A datagram that cannot leave is a lost one.


def identity(counter):
    return {"pid": os.getpid(), "uid": os.getuid(), "boot": BOOT, "startedAt": STARTED_AT, "counter": counter.value}


class Answers(BaseHTTPRequestHandler):
    """Routes are functions of the request's query; what they return is sent as JSON."""

    routes = {}

    def do_GET(self):
        self.answer()

    def do_POST(self):
        if self.path == "/counts":
            self.count_lines()
        else:
            self.answer()

    def count_lines(self):
        """`POST /count` for every line that comes: a request of its own costs an emulated processor 10 ms."""
        self.send_response(101)
        self.end_headers()
        for _ in self.rfile:
            self.wfile.write(json.dumps(self.routes["POST /count"]()).encode() + b"\n")

    def answer(self):
        route = self.routes.get(f"{self.command} {self.path}")
        body = json.dumps({"error": "not found"} if route is None else route()).encode()
        self.send_response(404 if route is None else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # A client that hung up, or a connection that a move closed.


def serve(port, counter, routes, answers=Answers):
    """Serves for ever. Every workload answers `GET /identity` and `POST /count` beside its own routes."""
    common = {
        "GET /identity": lambda: identity(counter),
        "POST /count": lambda: {"n": counter.raised()},
    }
    handler = type("Handler", (answers,), {"routes": common | routes})
    Server(("0.0.0.0", port), handler).serve_forever()
