#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screen.py [OPTION...] COLUMNS REPORT COMMAND...

Runs the command with a terminal for its stderr, and prints the lines that
stand on it in the end.  What was redrawn in place goes into REPORT: `redraws N`,
`busiest N` (in any second), `widest N`, each as `drawn TEXT`, and what is left
in a line without an end as `left TEXT`.  The status is the command's, 124 when
it took more than 20 seconds.

  --stdout      the terminal is its stdout, too
  --background  the terminal is that of another group of its session
  --stopped     somebody pressed Ctrl-S before it began
  --full        nobody reads, and it takes no byte any more
"""

import bisect
import fcntl
import itertools
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
import tty

LIMIT = 20
MODES = ("--stdout", "--background", "--stopped", "--full")


class Screen:
    """Carriage return, end of line and erasing; lines never end by width."""

    def __init__(self):
        self.lines = []
        self.line = ""
        self.column = 0

    def put(self, text):
        for part in re.split(r"(\r|\n|\033\[K)", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.lines.append(self.line)
                self.line, self.column = "", 0
            elif part == "\033[K":
                self.line = self.line[:self.column]
            else:
                end = self.column + len(part)
                self.line = (self.line[:self.column].ljust(self.column) +
                             part + self.line[end:])
                self.column = end


def fill(slave):
    """Until it takes no more."""
    os.set_blocking(slave, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(slave, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(slave, True)


def in_background(slave):
    """A session whose terminal it is; the command gets a group of its own."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        return
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


def wait_for(child):
    try:
        child.wait(LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        sys.exit(124)


def read_all(master, child):
    """What comes, with the time at which it came."""
    got = []
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: nobody has it open any more
            return got
        got.append((time.monotonic(), data.decode("ascii")))
    child.kill()
    sys.exit(124)


def report(path, got, left):
    """Redraws begin with a carriage return and end with an erasure."""
    ends = list(itertools.accumulate(len(text) for _, text in got))
    drawn = []
    for match in re.finditer(r"\r([^\r\n\033]+)\033\[K",
                             "".join(text for _, text in got)):
        chunk = bisect.bisect_left(ends, match.end())
        drawn.append((got[chunk][0], match.group(1)))
    busiest = 0
    for i, (at, _) in enumerate(drawn):
        busiest = max(busiest, sum(at <= when < at + 1
                                   for when, _ in drawn[i:]))
    with open(path, "w", encoding="ascii") as out:
        print("redraws", len(drawn), file=out)
        print("busiest", busiest, file=out)
        print("widest", max([len(text) for _, text in drawn] or [0]),
              file=out)
        for _, text in drawn:
            print("drawn", text, file=out)
        if left:
            print("left", left, file=out)


def main():
    words = sys.argv[1:]
    modes = set()
    while words[0] in MODES:
        modes.add(words.pop(0))
    columns, path, *command = words
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, int(columns), 0, 0))
    tty.setraw(slave)
    if "--full" in modes:
        fill(slave)
    if "--stopped" in modes:
        termios.tcflow(slave, termios.TCOOFF)
    child = subprocess.Popen(
        command, stderr=slave, stdout=slave if "--stdout" in modes else None,
        # pylint: disable=subprocess-popen-preexec-fn
        preexec_fn=(lambda: in_background(slave))
        if "--background" in modes else None)
    stuck = modes & {"--full", "--stopped"}
    if not stuck:
        os.close(slave)
    else:
        wait_for(child)
        # What it has taken can be read as long as it is there.
        termios.tcflow(slave, termios.TCOON)
        os.close(slave)
    got = read_all(master, child)
    screen = Screen()
    screen.put("".join(text for _, text in got))
    report(path, got, screen.line)
    sys.stdout.write("".join(line + "\n" for line in screen.lines))
    return child.wait() & 255


if __name__ == "__main__":
    sys.exit(main())
