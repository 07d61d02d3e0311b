"""Shared memory of System V by the C library's functions, as whatever is preloaded has them: shm.py STEP [ID]."""
import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmdt.argtypes = [ctypes.c_void_p]
PRIVATE, CREATE, EXCLUSIVE, REMOVE, STAT, READ_ONLY = 0, 0o1000, 0o2000, 0, 2, 0o10000
KEY, SIZE = 0x0052E2C1, 10_000


class Permissions(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint) for name in ("key", "uid", "gid", "cuid", "cgid")] + [
        ("mode", ctypes.c_ushort), ("pad1", ctypes.c_ushort), ("seq", ctypes.c_ushort), ("pad2", ctypes.c_ushort),
        ("reserved1", ctypes.c_ulong), ("reserved2", ctypes.c_ulong)]


class About(ctypes.Structure):
    _fields_ = [("perm", Permissions), ("size", ctypes.c_size_t), ("atime", ctypes.c_long), ("dtime", ctypes.c_long),
                ("ctime", ctypes.c_long), ("cpid", ctypes.c_int), ("lpid", ctypes.c_int), ("attached", ctypes.c_ulong),
                ("reserved4", ctypes.c_ulong), ("reserved5", ctypes.c_ulong)]


def told(result):
    return result if result not in (-1, 2**64 - 1) else errno.errorcode[ctypes.get_errno()]


def attach(segment, flags=0):
    return libc.shmat(segment, None, flags)


def about(segment):
    found = About()
    result = libc.shmctl(segment, STAT, ctypes.byref(found))
    return (found.size, found.attached, oct(found.perm.mode)) if result == 0 else told(result)


def say(what, *values):
    print(f"{what}:", *values, flush=True)


def tell_all():
    segment = libc.shmget(KEY, SIZE, CREATE | EXCLUSIVE | 0o640)
    say("again", told(libc.shmget(KEY, SIZE, CREATE | EXCLUSIVE | 0o640)), libc.shmget(KEY, SIZE, CREATE) == segment)
    say("too large", told(libc.shmget(KEY, SIZE + 1, 0)), "unknown", told(libc.shmget(KEY + 1, SIZE, 0)),
        "empty", told(libc.shmget(PRIVATE, 0, CREATE)))
    place = attach(segment)
    ctypes.memmove(place, b"from the parent", 16)
    if os.fork() == 0:
        say("the child reads", ctypes.string_at(place).decode())
        ctypes.memmove(place, b"from the child", 15)
        say("with the child", about(segment))
        os._exit(0)
    os.wait()
    say("the parent reads", ctypes.string_at(place).decode())
    say("by its id", ctypes.string_at(attach(segment, READ_ONLY)).decode(), about(segment))
    say("detached", libc.shmdt(place), told(libc.shmdt(place)), about(segment))
    one, other = (libc.shmget(PRIVATE, SIZE, CREATE | 0o600) for _ in range(2))
    say("private", one != other, libc.shmctl(one, REMOVE, None), libc.shmctl(other, REMOVE, None))
    say("removed", libc.shmctl(segment, REMOVE, None), about(segment), told(attach(segment)), told(libc.shmget(KEY, SIZE, 0)))


tell_all()
