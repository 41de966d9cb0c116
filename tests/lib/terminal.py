#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal.py COLUMNS COMMAND...: runs it with a terminal for its stdout.

What it prints there goes to our own stdout, with plain line ends.
"""

import fcntl
import os
import struct
import subprocess
import sys
import termios


def main():
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    child = subprocess.Popen(sys.argv[2:], stdout=slave)
    os.close(slave)
    out = b""
    while True:
        try:
            got = os.read(master, 65536)
        except OSError:  # EIO: nobody has it open any more
            break
        if not got:
            break
        out += got
    sys.stdout.buffer.write(out.replace(b"\r\n", b"\n"))
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
