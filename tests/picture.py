#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What contrib/picture makes of recordings, and that README.md shows one."""

import os
import re
import sys
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "contrib", "picture"))
# pylint: disable=wrong-import-position
import picture  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = "contrib/picture/avml.svg"
PICTURE_MAX = 30000

# A run of which more is told than of half: the line that is redrawn makes room
# for a warning, and is in another row then.
RECORDING = (
    "\033[1m# run\033[0m\r\nbegin\r\n"
    "\r   0 of 100     0 %\033[K"
    "\r   9 of 100     9 %   a long line\033[K"
    "\r\033[Kwarning: <one> & two\r\n"
    "\r  48 of 100    48 %\033[K"
    "\r  60 of 100    60 %   more\033[K"
    "\r\033[Kdone\r\n"
    "\033[0;31m##\033[0;32;1m==\033[0;2m..\033[0m  \033[31;7m!\033[0m\r\n")
HALF = ["# run", "begin", "warning: <one> & two", "  48 of 100    48 %"]
END = ["# run", "begin", "warning: <one> & two", "done", "##==..  !"]

# What stands on a terminal of 10 columns: (recording, lines).
SCREENS = (
    ("", [""]),
    ("one\r\ntwo", ["one", "two"]),
    ("one\r\n", ["one", ""]),
    ("one\rtw", ["twe"]),
    ("longer\rtwo\033[K", ["two"]),
    ("longer\r\033[K", [""]),
    ("\033[1mone\033[0m\r\n", ["one", ""]),
    ("\033[31mo\033[0mne\rt\033[K", ["t"]),
    # A full line is one line; a longer one goes on in the next.
    ("0123456789\r\nab", ["0123456789", "ab"]),
    ("0123456789ab\r\n", ["0123456789", "ab", ""]),
    # Of a longer one, only the row that it ends in is redrawn.
    ("0123456789ab\rX\033[K", ["0123456789", "X"]),
)

PLAIN = picture.PLAIN
RED = PLAIN._replace(colour=1)
STYLES = (
    ("31", RED),
    ("0;31", RED),
    ("32;1", PLAIN._replace(colour=2, bold=True)),
    ("2", PLAIN._replace(dim=True)),
    ("31;7", RED._replace(reverse=True)),
    ("31;0", PLAIN),
    ("", PLAIN),
)

# Unlike avml's: none may be left out without a word.
UNKNOWN = ("\033[2J", "\033[4m", "\033[38;5;1m", "\t", "\b", "\033]0;x\007")

failed = []


def check(good, what, why=""):
    if not good:
        failed.append(what)
        print("not ok %s: %s" % (what, why))


def refused(function, *words):
    try:
        function(*words)
    except ValueError:
        return True
    return False


def check_terminal():
    for recording, wanted in SCREENS:
        terminal = picture.Terminal(10)
        terminal.put(recording)
        check(terminal.lines() == wanted, "screen of %r" % recording,
              terminal.lines())
    for codes, wanted in STYLES:
        terminal = picture.Terminal(10)
        terminal.put("\033[%smx" % codes)
        check(terminal.rows == [[("x", wanted)]], "style %r" % codes,
              terminal.rows)
    for text in UNKNOWN:
        check(refused(picture.Terminal(10).put, "a" + text + "b"),
              "%r is refused" % text)


def lines(rows):
    return ["".join(character for character, _ in row) for row in rows]


def check_play():
    half, end = picture.play(RECORDING)
    check(lines(half) == HALF, "half of the run", lines(half))
    check(lines(end) == END, "end of the run", lines(end))
    check(refused(picture.play, "one\r\n50 % of all\r\n"),
          "a run that never told is refused")


def texts(tree):
    return ["".join(text.itertext()) for text in tree.iter(SVG + "text")]


def check_svg():
    made = picture.svg(*picture.play(RECORDING))
    tree = xml.etree.ElementTree.fromstring(made)
    check(texts(tree) == [*HALF, "later", *END[3:]], "lines of the picture",
          texts(tree))
    spans = [(span.get("class"), span.text)
             for span in tree.iter(SVG + "tspan")]
    check(spans == [("b", "# run"), ("c1", "##"), ("c2 b", "=="),
                    ("d", "..  "), ("v", "!")], "its colours", spans)
    # Ground, cursor, and what is behind the reversed character.
    fills = [rect.get("fill") for rect in tree.iter(SVG + "rect")]
    check(fills == [picture.BACKGROUND, picture.FOREGROUND,
                    picture.PALETTE[1]], "its grounds", fills)


def check_readme():
    """The one in the tree needs nothing but itself."""
    with open(os.path.join(TOP, PICTURE), encoding="ascii") as file:
        text = file.read()
    tree = xml.etree.ElementTree.fromstring(text)
    check(len(text) <= PICTURE_MAX, "its size", "%d bytes" % len(text))
    check(not re.search(r"href|url\(|@import|@font-face|<script|<image", text),
          "it refers to nothing")
    said = texts(tree)
    for wanted in ("# avml sources", "# avml --compress --digest out.lime",
                   "# avml info --map out.lime", "later"):
        check(said.count(wanted) == 1, "it shows '%s'" % wanted)
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        check(re.search(r"!\[[^]]+\]\(%s\)" % re.escape(PICTURE), file.read()),
              "README.md shows it, and says what it is")


def main():
    check_terminal()
    check_play()
    check_svg()
    check_readme()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
