# SPDX-License-Identifier: MIT
"""What avml says, in the form that its manual page gives."""

import re

NOT_COVERED = "in no program header of the source"
UNCUT = "its last record may be cut short"

_UNREADABLE = re.compile(r"^warning: 0x([0-9a-f]{16})-0x([0-9a-f]{16}) "
                         r"could not be read: (.+)$")
_COUNTED = re.compile(r"^avml: .* (\d+) bytes unreadable")
_MORE = re.compile(r"^warning: \d+ more ranges")


class Broken(Exception):
    """A promise that was not kept."""


def has_error(text):
    return any(line.startswith("error: ") for line in text.splitlines())


def error(text):
    """The lines of the only error; Broken when they have another form."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("error: ")]
    if len(starts) != 1:
        raise Broken("%d errors" % len(starts))
    lines = lines[starts[0]:]
    good = len(lines[0]) > len("error: ")
    if len(lines) > 1:
        good = good and lines[1] == "caused by:" and len(lines) > 2
        for number, line in enumerate(lines[2:]):
            head = "%5d: " % number
            good = good and line.startswith(head) and len(line) > len(head)
    if not good:
        raise Broken("not the form of an error")
    return lines


def unreadable(text):
    """(start, end, reason) of every range that is named as unreadable."""
    out = []
    for line in text.splitlines():
        match = _UNREADABLE.match(line)
        if match:
            start, end, reason = match.groups()
            out.append((int(start, 16), int(end, 16), reason))
        elif _MORE.match(line):
            raise Broken("more unreadable ranges than are named")
    return out


def counted(text):
    """The unreadable bytes of each summary; there should be one."""
    found = [_COUNTED.match(line) for line in text.splitlines()]
    return [int(match.group(1)) for match in found if match]
