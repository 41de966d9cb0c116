# SPDX-License-Identifier: MIT
"""Runs of one command line, by a program that is loaded once: see serve.h."""

import array
import contextlib
import os
import select
import selectors
import signal
import socket
import subprocess
import time

from said import Broken


class Server:
    """One run at a time."""

    def __init__(self, command, environment):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX,
                                                socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()],
                env={**environment, "AVML_FAULT_SERVE": str(theirs.fileno())},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)

    def close(self):
        self.socket.close()
        self.process.wait()

    def _answer(self):
        answer = self.socket.recv(4)
        if len(answer) != 4:
            raise Broken("the program that runs are forked of has ended")
        return int.from_bytes(answer, "little", signed=True)

    def _has_answered(self, deadline):
        left = max(deadline - time.monotonic(), 0)
        return bool(select.select([self.socket], [], [], left)[0])

    def run(self, directory, faults, given, stdout, limit):
        """As subprocess.run(): (status, its stdout, its stderr).

        Without `given` there is no stdin, with a file `stdout` nothing of it
        to return.  The status is None of one that did not end in `limit`
        seconds.
        """
        streams = Streams(given, stdout)
        self.socket.sendmsg(
            [os.fsencode(directory) + b"\0" + faults.encode()],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
              array.array("i", streams.theirs))])
        pid = self._answer()
        streams.close_theirs()
        # To kill, 0 and -1 are more than one process.
        if pid <= 0:
            self._answer()
            raise Broken("the program that runs are forked of cannot fork")
        # One that has closed what it speaks by may still not end.
        deadline = time.monotonic() + limit
        ended = streams.talk(deadline) and self._has_answered(deadline)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            streams.talk(time.monotonic() + limit)
        status = os.waitstatus_to_exitcode(self._answer())
        return status if ended else None, *streams.close()


class Streams:
    """What a run reads and says."""

    def __init__(self, given, stdout):
        self.given = memoryview(given or b"")
        self.read_ends = []
        self.stdin = self.said = None
        self.parts = {}
        self.theirs = []
        if given is None:
            self.theirs.append(os.open(os.devnull, os.O_RDONLY))
        else:
            end, self.stdin = os.pipe()
            os.set_blocking(self.stdin, False)
            self.theirs.append(end)
        self.theirs.append(os.dup(stdout.fileno()) if stdout
                           else self._pipe())
        self.theirs.append(self._pipe())

    def _pipe(self):
        end, theirs = os.pipe()
        self.parts[end] = []
        return theirs

    def close_theirs(self):
        for fd in self.theirs:
            os.close(fd)

    def talk(self, deadline):
        """Until all is said, or until then: whether it is."""
        with selectors.DefaultSelector() as selector:
            for end in self.parts:
                selector.register(end, selectors.EVENT_READ)
            if self.stdin is not None:
                selector.register(self.stdin, selectors.EVENT_WRITE)
            left = len(self.parts)
            while left:
                seconds = deadline - time.monotonic()
                # Who speaks for ever has always something to say.
                if seconds <= 0:
                    return False
                for key, _ in selector.select(seconds):
                    if key.fd == self.stdin:
                        if not self._give():
                            selector.unregister(self.stdin)
                            self._close_stdin()
                    elif part := os.read(key.fd, 1 << 16):
                        self.parts[key.fd].append(part)
                    else:
                        selector.unregister(key.fd)
                        left -= 1
        return True

    def _give(self):
        """Whether there is more to give."""
        try:
            self.given = self.given[os.write(self.stdin, self.given):]
        except BrokenPipeError:
            return False
        return len(self.given) > 0

    def _close_stdin(self):
        os.close(self.stdin)
        self.stdin = None

    def close(self):
        """What stdout and stderr had."""
        if self.stdin is not None:
            self._close_stdin()
        for end in self.parts:
            os.close(end)
        said = [b"".join(parts) for parts in self.parts.values()]
        return said if len(said) == 2 else [None, *said]
