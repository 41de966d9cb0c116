# SPDX-License-Identifier: MIT
"""Damages images at chosen places, and tells what survived."""

import re

import ranges as rng
from image import ImageError, MappedFile, is_zero, records

_PLACE = re.compile(r"^(?:(\d+)\.(?:(head|trailer)|(\d+)\.(head|body)))?"
                    r"(?:\+?(\w+))?$")


def _chunk(record, index, part):
    kind, at, size = record.chunks[index]
    del kind, size
    return at - 4 if part == "head" else at


def place(image, text):
    """The file offset that a place stands for.

    A number, or RECORD.head, RECORD.trailer, RECORD.CHUNK.head or
    RECORD.CHUNK.body with +N behind it; chunk 0 is the identifier.
    """
    match = _PLACE.match(text)
    if not match:
        raise ImageError("no place: %s" % text)
    record, whole, chunk, part, more = match.groups()
    at = int(more or "0", 0)
    if record is None:
        return at
    found = list(records(image))[int(record)]
    if whole == "head":
        return at + found.offset
    if whole == "trailer":
        return at + found.next - 8
    return at + _chunk(found, int(chunk), part)


def patch(source, out, changes):
    """A copy with changes: PLACE=HEX, PLACE^HEX, PLACE-COUNT, PLACE<HEX.

    These overwrite, flip bits, cut out and insert.  A lone `PLACE!` cuts
    everything from there.  Places are those of the source.
    """
    image = MappedFile(source)
    data = bytes(image[0:])
    edits = []
    for change in changes:
        text, how, rest = re.match(r"^([^=^<!-]*)([=^<!-])(.*)$",
                                   change).groups()
        at = place(image, text)
        if how == "-":
            edits.append((at, int(rest, 0), b""))
        elif how == "!":
            edits.append((at, len(data) - at, b""))
        elif how == "<":
            edits.append((at, 0, bytes.fromhex(rest)))
        else:
            new = bytes.fromhex(rest)
            if how == "^":
                old = data[at:at + len(new)]
                new = bytes(a ^ b for a, b in zip(old, new))
            edits.append((at, len(new), new))
    for at, count, new in sorted(edits, reverse=True):
        data = data[:at] + new + data[at + count:]
    with open(out, "wb") as file:
        file.write(data)


def contents(path):
    """(start, bytes) of each record."""
    image = MappedFile(path)
    return [(r.start, b"".join(bytes(p) for p in r.pieces()))
            for r in records(image)]


def _overlay(parts):
    """Bytes by address, where later records cover earlier ones."""
    edges = sorted({edge for start, data in parts
                    for edge in (start, start + len(data))})
    for low, high in zip(edges, edges[1:]):
        for start, data in reversed(parts):
            if start <= low and high <= start + len(data):
                yield low, data[low - start:high - start]
                break


def lost(image, original, raw=False, zeros=False):
    """The ranges of the original's memory that the image lacks.

    ImageError for a byte that is another one, or that the original does
    not have.  What is lost in a raw image stands as zeros there; with
    zeros, what is all zero may be missing.
    """
    want = list(_overlay(contents(original)))
    if raw:
        file = MappedFile(image)
        have = [(low, bytes(file[low:low + len(data)]))
                for low, data in want if low < len(file)]
        seen = rng.subtract([(0, len(file))],
                            [(low, low + len(d)) for low, d in want])
        for low, high in seen:
            if not is_zero(file[low:high]):
                raise ImageError("%#x-%#x is not zero" % (low, high))
    else:
        have = list(_overlay(contents(image)))
        more = rng.subtract([(s, s + len(d)) for s, d in have],
                            [(s, s + len(d)) for s, d in want])
        if more:
            raise ImageError("holds %#x-%#x, which it should not" % more[0])
    missing = []
    for low, data in want:
        there = []
        for start, got in have:
            a, b = max(low, start), min(low + len(data), start + len(got))
            for at in range(a, b, rng.PAGE):
                stop = min(at + rng.PAGE, b)
                part = got[at - start:stop - start]
                if part == data[at - low:stop - low]:
                    there.append((at, stop))
                elif not raw or not is_zero(part):
                    raise ImageError("address %#x: bytes differ" % at)
        gone = rng.subtract([(low, low + len(data))], there)
        missing += [(a, b) for a, b in gone
                    if not (zeros and is_zero(data[a - low:b - low]))]
    return rng.merge(missing)
