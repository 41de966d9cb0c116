# SPDX-License-Identifier: MIT
"""Physical address ranges and /proc/iomem, as the tests see them.

A second opinion: nothing here is shared with the C code, so that a mistake in
one of the two shows.  Ranges are (start, end) pairs, end exclusive.
"""

import re

BLOCK = 16 << 20
PAGE = 4096

_LINE = re.compile(r"^( *)([0-9a-fA-F]+)-([0-9a-fA-F]+) : (.*)$")


class IomemError(Exception):
    """The text cannot be an /proc/iomem of a machine with memory."""


def parse_iomem(text):
    """Gives the ranges named System RAM, in the file's order."""
    found = []
    inside = None  # depth of the RAM line whose children are skipped
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.match(line)
        if not match:
            raise IomemError("line %d is not START-END : NAME" % number)
        depth = len(match.group(1))
        if inside is not None and depth > inside:
            # RAM inside RAM is the same RAM.
            continue
        inside = None
        start, last = int(match.group(2), 16), int(match.group(3), 16)
        if last < start or last >= 1 << 64:
            raise IomemError("line %d has no sense as a range" % number)
        if match.group(4).startswith("System RAM"):
            inside = depth
            found.append((start, last + 1))
    if not found:
        raise IomemError("no System RAM")
    return found


def merge(ranges):
    """Sorts, and joins what touches or overlaps."""
    out = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def align_inwards(ranges, page=PAGE):
    """Cuts each range down to whole pages; what holds none is dropped."""
    out = []
    for start, end in ranges:
        start = (start + page - 1) // page * page
        end = end // page * page
        if start < end:
            out.append((start, end))
    return out


def subtract(ranges, holes):
    """What of the ranges lies in none of the holes."""
    out = []
    holes = merge(holes)
    for start, end in ranges:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                out.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            out.append((start, end))
    return out


def to_read(path, page=PAGE):
    """The ranges of an iomem file as an acquisition must read them."""
    with open(path, encoding="ascii", errors="replace") as file:
        ranges = parse_iomem(file.read())
    return align_inwards(merge(ranges), page)


def blocks(start, end, size=BLOCK):
    """Blocks are counted from the range's start, not from 16 MiB borders."""
    while start < end:
        yield start, min(start + size, end)
        start += size


def number(text):
    """Reads 4096, 0x1000, 64K, 16M or 4G."""
    units = {"K": 10, "M": 20, "G": 30, "T": 40}
    shift = units.get(text[-1:].upper(), 0)
    return int(text[:-1] if shift else text, 0) << shift


def pair(text):
    """Reads START-END (END exclusive) or START+LENGTH."""
    if "+" in text:
        start, length = text.split("+", 1)
        return number(start), number(start) + number(length)
    start, end = text.split("-", 1)
    return number(start), number(end)
