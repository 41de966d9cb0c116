#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests server.py: whatever a run does, the harness gets beyond it.

In the place of the binary is this file, which forks runs as serve.c does and
does in them what the "faults" say.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True

from said import Broken  # noqa: E402
from server import Server  # noqa: E402

LIMIT = 1
# For what does not end whatever is done.
STUCK = 20


def act(what):
    """What a run does."""
    if what == "ends":
        data = sys.stdin.buffer.read()
        os.write(1, data[::-1])
        os.write(2, os.fsencode(os.getcwd()))
        os._exit(3)
    if what == "says no end":
        while True:
            os.write(2, b"more\n" * 100000)
    for fd in range(3):
        if what == "is silent":
            os.close(fd)
    time.sleep(STUCK)


def serve(there):
    while True:
        text, fds, _, _ = socket.recv_fds(there, 4096, 3)
        if not text:
            return
        directory, what = text.split(b"\0")
        if what == b"goes":
            return
        if what == b"cannot fork":
            for fd in fds:
                os.close(fd)
            for _ in range(2):
                there.send((-1).to_bytes(4, "little", signed=True))
            continue
        pid = os.fork()
        if pid == 0:
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
                os.close(fd)
            there.close()
            os.chdir(directory)
            act(what.decode())
            os._exit(0)
        for fd in fds:
            os.close(fd)
        there.send(pid.to_bytes(4, "little"))
        _, status = os.waitpid(pid, 0)
        there.send(status.to_bytes(4, "little"))


# (what a run does, status, its stdout, how its stderr begins); or Broken, and
# what it says.
CASES = [
    ("ends", 3, b"fed", b"/"),
    ("says no end", None, b"", b"more\n"),
    ("is silent", None, b"", b""),
    ("sleeps", None, b"", b""),
    # Nothing of the last ones is left.
    ("ends", 3, b"fed", b"/"),
    ("cannot fork", Broken, "cannot fork", None),
    ("goes", Broken, "has ended", None),
]


def try_one(server, what, status, stdout, stderr):
    """What is wrong."""
    began = time.monotonic()
    try:
        got = server.run("/", what, b"def", None, LIMIT)
    except Broken as broken:
        if status is Broken and stdout in str(broken):
            return ""
        return "raised: %s" % broken
    took = time.monotonic() - began
    if status is Broken:
        return "raised nothing"
    if got[:2] != (status, stdout) or not got[2].startswith(stderr):
        return "status %s, %r, %r" % (*got[:2], got[2][:40])
    return "took %d s" % took if took > STUCK / 2 else ""


def main():
    if number := os.environ.get("AVML_FAULT_SERVE"):
        serve(socket.socket(fileno=int(number)))
        return 0
    # Or a harness that hangs would do so here too.
    threading.Timer(2 * STUCK, os.kill, (os.getpid(), signal.SIGKILL)).start()
    bad = 0
    with contextlib.closing(Server([sys.executable, __file__],
                                   os.environ)) as server:
        for what, *wanted in CASES:
            wrong = try_one(server, what, *wanted)
            bad += bool(wrong)
            print("not ok" if wrong else "ok", what, wrong, flush=True)
    os._exit(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
