# SPDX-License-Identifier: MIT
"""keys.py FILE DIR: types lines into a bash that has read FILE, in DIR.

A line of stdin is KEYS => WORDS: with \\t for the key, and the words that the
program is then given, ~ for DIR. FILE's functions complete for the function `avml` too,
which only prints them.
"""

import os
import pty
import select
import sys

BEGIN = """cd '%s'; . '%s'
avml() { printf '<%%s>' "$@"; echo; }
avml-convert() { avml "$@"; }
stty -echo; echo be''gin
"""


def main():
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile"], {
            "PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C",
            "INPUTRC": "/dev/null", "HISTFILE": "", "PS1": "",
            "HOME": sys.argv[2]})
    seen = b""

    def until(what, of):
        nonlocal seen
        while what not in seen:
            if not select.select([fd], [], [], 20)[0]:
                sys.exit(f"{of}: no {what.decode()} in {seen!r}")
            seen += os.read(fd, 65536)
        seen = seen.split(what, 1)[1]

    os.write(fd, (BEGIN % (sys.argv[2], sys.argv[1])).encode())
    until(b"\nbegin", "the start")
    for line in sys.stdin.read().splitlines():
        keys, words = line.split(" => ")
        os.write(fd, keys.replace("\\t", "\t").encode() + b"\n")
        until(words.replace("~", sys.argv[2]).encode() + b"\r\n", keys)
    os.close(fd)
    os.waitpid(pid, 0)


main()
