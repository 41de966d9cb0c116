# SPDX-License-Identifier: MIT
"""A system call made in the place of another, as by a process taken over.

    inject.py AFTER CALL N NUMBER -- COMMAND...

COMMAND is run, and after it has made a call AFTER, that one included, its N-th
system call CALL (or one of CALL,CALL) becomes NUMBER, with the same arguments.
Ends as COMMAND did, by the same signal too. Only the first process and thread
is looked at. Numbers are those of x86-64; status 125 says that there was no
such call.
"""
import ctypes
import os
import signal
import sys

TRACEME, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 12, 13, 24, 0x4200
O_TRACESYSGOOD, O_TRACEEXEC, O_EXITKILL = 1, 16, 0x100000
# Words of struct user_regs_struct.
WORDS, RAX, ORIG_RAX = 27, 10, 15
ENOSYS = 38

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long] + [ctypes.c_void_p] * 2


def ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def begin(command):
    pid = os.fork()
    if pid == 0:
        ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execvp(command[0], command)
    os.waitpid(pid, 0)
    ptrace(SETOPTIONS, pid, O_TRACESYSGOOD | O_TRACEEXEC | O_EXITKILL)
    return pid


def run(pid, after, calls, nth, number):
    """The status it ended with, and whether the call was made."""
    regs = (ctypes.c_uint64 * WORDS)()
    deliver, seen = 0, False
    while True:
        ptrace(SYSCALL, pid, deliver)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status), nth <= 0
        stop = os.WSTOPSIG(status)
        # A stop of the tracer's own, or a signal that is to be delivered.
        deliver = 0 if stop & 0x80 or stop == signal.SIGTRAP else stop
        if stop != signal.SIGTRAP | 0x80:
            continue
        ptrace(GETREGS, pid, ctypes.addressof(regs))
        # Each call stops twice; at its begin, this is its result so far.
        if regs[RAX] != 2**64 - ENOSYS:
            continue
        seen = seen or regs[ORIG_RAX] == after
        if not seen or regs[ORIG_RAX] not in calls:
            continue
        nth -= 1
        if nth == 0:
            regs[ORIG_RAX] = number
            ptrace(SETREGS, pid, ctypes.addressof(regs))


def main():
    split = sys.argv.index("--")
    after, calls, nth, number = sys.argv[1:split]
    code, made = run(begin(sys.argv[split + 1 :]), int(after),
                     [int(call) for call in calls.split(",")], int(nth),
                     int(number))
    if not made:
        sys.exit(125)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


main()
