# SPDX-License-Identifier: MIT
"""A kernel that lacks system calls: a seccomp filter answers ENOSYS.

    nosys.py [--all] NUMBER[-NUMBER]... --result FILE -- COMMAND...

COMMAND is run as it is, and then without each of these system calls in turn
(with --all: without all of them at once). It has to do the same each time:
same status, same standard output, same bytes in FILE, which is removed before
each run. What differs is printed, and the status is 1. Prints how many runs
there were.

Numbers are those of x86-64. 298 is the last one of Linux 2.6.32.
"""
import ctypes
import hashlib
import os
import struct
import sys
import tempfile

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
AUDIT_ARCH_X86_64 = 0xC000003E
RET_ALLOW = 0x7FFF0000
RET_KILL = 0x80000000
RET_ENOSYS = 0x00050000 | 38

LOAD, JEQ, JGE, JGT, RET = 0x20, 0x15, 0x35, 0x25, 0x06


def program(ranges):
    """BPF instructions that deny the numbers in [first, last] of each."""
    code = [
        (LOAD, 0, 0, 4),
        (JEQ, 1, 0, AUDIT_ARCH_X86_64),
        (RET, 0, 0, RET_KILL),
        (LOAD, 0, 0, 0),
    ]
    for first, last in ranges:
        code += [
            (JGE, 0, 2, first),
            (JGT, 1, 0, last),
            (RET, 0, 0, RET_ENOSYS),
        ]
    code.append((RET, 0, 0, RET_ALLOW))
    return b"".join(struct.pack("HBBI", *i) for i in code), len(code)


def deny(ranges):
    code, count = program(ranges)
    buffer = ctypes.create_string_buffer(code)
    fprog = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", count, ctypes.addressof(buffer))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    null = ctypes.c_ulong(0)
    for args in (
        (PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), null, null, null),
        (PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), fprog, null, null),
    ):
        if libc.prctl(*args) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return None


def run(command, result, ranges):
    """What a run did, and what it said."""
    if os.path.exists(result):
        os.remove(result)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                if ranges:
                    deny(ranges)
                os.execvp(command[0], command)
            except OSError as error:
                os.write(2, f"nosys.py: {error}\n".encode())
            os._exit(125)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        did = (os.waitstatus_to_exitcode(status), out.read(), digest(result))
        return did, err.read().decode(errors="replace")


def main():
    split = sys.argv.index("--")
    words, command = sys.argv[1:split], sys.argv[split + 1 :]
    at = words.index("--result")
    result = words[at + 1]
    del words[at : at + 2]
    together = "--all" in words
    ranges = []
    for word in words:
        if word != "--all":
            first, _, last = word.partition("-")
            ranges.append((int(first), int(last or first)))
    wanted, said = run(command, result, None)
    if wanted[0] != 0:
        sys.exit(f"fails by itself: {said}")
    # The filter works at all: without openat(2) and open(2) nothing does.
    if run(command, result, [(2, 2), (257, 257)])[0] == wanted:
        sys.exit("the filter denies nothing")
    if together:
        tries = [ranges]
    else:
        tries = [[(n, n)] for a, b in ranges for n in range(a, b + 1)]
    bad = 0
    for denied in tries:
        got, said = run(command, result, denied)
        if got != wanted:
            bad += 1
            names = ", ".join(f"{a}-{b}" for a, b in denied)
            print(f"without {names}: status {got[0]}: {said.strip()[-300:]}")
    print(f"{len(tries)} runs")
    sys.exit(1 if bad else 0)


main()
