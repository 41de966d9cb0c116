#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether `avml verify` named what was damaged: verified.py batch, or

  verified.py ORIGINAL OUTPUT WANTED...

OUTPUT has one line for each WANTED, in that order, and a summary that
counts them.  A WANTED is fault or note, two offsets in the image, and two
addresses, all with commas in between:

  fault,1.2,1.3,1.2,1.3      from chunk 2 of record 1 to the next

A place is RECORD.CHUNK (0 is the identifier, one more than there are is
the trailer, or the record's end), RECORD.head, RECORD.body (what is behind
the header), RECORD.next, end or a number, with +N behind it; for an address
the place's own.  `-` is an end that is not named, `*` is any.
"""

import os
import re
import shlex
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from image import MappedFile, records  # noqa: E402

LINE = re.compile(r"(fault|note): offset (\d+)(?: to (\d+))?, address "
                  r"(0x[0-9a-f]{16})(?:-(0x[0-9a-f]{16})| and above): (.+)")
SUMMARY = re.compile(r"\S+: lime(_compressed)?, \d+ records, .* (\d+) faults,"
                     r" (\d+) notes")


def places(path):
    """{place: (offset, address)}"""
    image = MappedFile(path)
    out = {"end": (len(image), None)}
    for index, record in enumerate(records(image)):
        address = record.start
        out["%d.head" % index] = record.offset, record.start
        out["%d.body" % index] = record.data, record.start
        out["%d.next" % index] = record.next, record.end
        number = -1
        for number, (kind, at, size) in enumerate(record.chunks):
            out["%d.%d" % (index, number)] = at - 4, address
            if kind <= 1:
                address += record._made(kind, at, size)
        out["%d.%d" % (index, number + 1)] = \
            record.data + record.stored, record.end
    return out


def agrees(known, want, got, which):
    if want == "*":
        return True
    if want == "-" or got is None:
        return want == "-" and got is None
    place, _, more = want.partition("+")
    value = known[place][which] if place in known else int(place, 0)
    return int(got, 0) == value + int(more or "0", 0)


def judge(original, output, *wanted):
    known = places(original)
    *lines, last = open(output, encoding="utf-8").read().splitlines() or [""]
    counts = {"fault": 0, "note": 0}
    if len(lines) != len(wanted):
        return "%d findings, not %d: %s" % (len(lines), len(wanted), lines)
    for line, want in zip(lines, wanted):
        found = LINE.fullmatch(line)
        if not found:
            return "no finding: " + line
        kind, *values = want.split(",")
        if found.group(1) != kind or not all(
                agrees(known, values[i], found.group(2 + i), i // 2)
                for i in range(4)):
            return "%s: %s" % (want, line)
        counts[kind] += 1
    found = SUMMARY.fullmatch(last)
    if not found or [int(found.group(2)), int(found.group(3))] != \
            [counts["fault"], counts["note"]]:
        return "no summary of %s: %s" % (counts, last)
    return None


def main():
    runs = [sys.argv[1:]]
    if sys.argv[1:] == ["batch"]:
        runs = [shlex.split(line) for line in sys.stdin]
    wrong = [(run[1], judge(*run)) for run in runs]
    wrong = [one for one in wrong if one[1]]
    for output, text in wrong:
        print("%s: %s" % (os.path.basename(output), text))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
