"""Work for which the C library and OpenSSL chose their instructions when this program started.

    chosen.py NAME PORT [COLLECTOR]
"""
import hashlib
import os
import ssl
import sys

import service

DATA = bytes(range(256)) * 4096


def handshake():
    """AES-GCM and an elliptic curve, in memory: the fresh keys differ, that it ends is what counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="nowhere")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.pending > 0
    return False


def work():
    digests = {name: hashlib.new(name, DATA).hexdigest() for name in ("md5", "sha1", "sha256", "sha512", "sha3_256")}
    key = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1000).hex()
    found = [(DATA + b"needle").find(b"needle"), DATA.count(b"\xff\x00"), len(DATA.replace(b"\x07", b"seven"))]
    return {"digests": digests, "key": key, "found": found, "handshake": handshake()}


def environment():
    return {name: os.environ.get(name) for name in ("GLIBC_TUNABLES", "OPENSSL_ia32cap")}


if __name__ == "__main__":
    name, port, *collector = sys.argv[1:]
    for address in collector:
        service.Heartbeat(name, address).start()
    service.serve(int(port), service.Counter(), {"GET /work": work, "GET /environment": environment})
