# SPDX-License-Identifier: MIT
"""What of an image cut short anywhere can be had back, and whether it was."""

import machine  # noqa: F401 (it shows the way to tests/lib)
import ranges as rng
from image import Memory, records
from snappy import _varint


def recoverable(image, size):
    """The ranges of memory in the first `size` bytes of an image.

    Of the record that is cut, in version 1 every byte that is there, in
    version 2 every chunk that is whole.
    """
    out = []
    for record in records(image):
        if record.next <= size:
            out.append((record.start, record.end))
            continue
        made = 0
        if record.kind == "v1":
            made = size - record.data
        for kind, at, length in record.chunks:
            if at + length > size:
                break
            if kind == 1:
                made += length - 4
            elif kind == 0:
                made += _varint(image[at + 4:at + 9], 0)[0]
        if made > 0:
            out.append((record.start, record.start + made))
        break
    return rng.merge(out)


def what_is_wrong(image, borders, size, status, salvaged, memory,
                  hidden=()):
    """None when `salvaged` (None: there is none) has all and no more.

    `image` is the whole one, of which `size` bytes were salvaged with that
    exit status; what of `memory` is hidden stands as zeros in it.
    """
    want = recoverable(image, size)
    good = 1 if not want else 0 if size in borders else 3
    if status != good:
        return "status %s, not %d" % (status, good)
    if salvaged is None:
        return "no image" if want else None
    if not want:
        return "an image of nothing"
    have = []
    memory = Memory(memory, hidden)
    for record in records(salvaged):
        have.append((record.start, record.end))
        at = record.start
        for piece in record.pieces():
            if bytes(memory.read(at, at + len(piece))) != bytes(piece):
                return "%#x-%#x differs" % (at, at + len(piece))
            at += len(piece)
    lost = rng.subtract(want, have)
    more = rng.subtract(rng.merge(have), want)
    if lost:
        return "%#x-%#x is lost" % lost[0]
    if more:
        return "%#x-%#x was never there" % more[0]
    return None
