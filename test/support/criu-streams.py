"""Speaks to an image streamer as CRIU does (criu/img-streamer.c): a message with a name, then one end of a pipe.

    criu-streams.py give SOCKET DIRECTORY    a dump: every file of the directory, some of them at the same time
    criu-streams.py take SOCKET DIRECTORY NAME...    a restore: the named files, into the directory; `missing` where there is none
"""
import array
import os
import socket
import struct
import sys
import threading


def varint(number):
    return bytes([number]) if number < 0x80 else bytes([number % 0x80 + 0x80]) + varint(number // 0x80)


def ask(line, name):
    message = b"\x0a" + varint(len(name)) + name
    line.sendall(struct.pack("<I", len(message)) + message)


def send(line, fd):
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
    line.sendmsg([b"\0"], [rights])
    os.close(fd)


def write(path, fd):
    with open(path, "rb") as source, os.fdopen(fd, "wb", 0) as pipe:
        while chunk := source.read(50_000):
            pipe.write(chunk)


def give(line, directory):
    threads = []
    for name in sorted(os.listdir(directory)):
        ask(line, name.encode())
        reading, writing = os.pipe()
        send(line, reading)
        threads.append(threading.Thread(target=write, args=(os.path.join(directory, name), writing)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def take(line, directory, name):
    ask(line, name.encode())
    size, = struct.unpack("<I", line.recv(4, socket.MSG_WAITALL))
    if line.recv(size, socket.MSG_WAITALL) != b"\x08\x01":
        print("missing", name)
        return
    reading, writing = os.pipe()
    send(line, writing)
    with os.fdopen(reading, "rb", 0) as pipe, open(os.path.join(directory, name), "wb") as target:
        while chunk := pipe.read(70_000):
            target.write(chunk)


def main(verb, path, directory, *names):
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    if verb == "give":
        give(line, directory)
    for name in names:
        take(line, directory, name)


main(*sys.argv[1:])
