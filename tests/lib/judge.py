# SPDX-License-Identifier: MIT
"""What an image must be: the producer's rules, and the memory it is of."""

import ranges as rng
import snappy
from image import (HEADER, MOST_V2, PIECE, V1, ImageError, records)


def check(image, page=rng.PAGE, keep_zeros=False, allow_long=False):
    """A list of the producer's rules that the image breaks."""
    faults = []
    before = None
    try:
        for record in records(image):
            faults += ["record at %#x: %s" % (record.offset, text) for text
                       in _check_record(record, page, keep_zeros, allow_long)]
            if before:
                faults += ["record at %#x: %s" % (record.offset, text)
                           for text in _check_pair(before, record)]
            before = record
    except (ImageError, snappy.SnappyError) as error:
        faults.append(str(error))
    return faults


def _check_record(record, page, keep_zeros, allow_long):
    yield from record.faults
    if record.reserved:
        yield "reserved bytes are not zero"
    if record.start % page or record.end % page:
        yield "%#x-%#x is not whole pages" % (record.start, record.end)
    most = rng.BLOCK if record.kind == "v1" else MOST_V2
    if record.length > most:
        yield "%d bytes long, %d are allowed" % (record.length, most)
    if not record.empty and not keep_zeros and record.zero():
        yield "all zero"
    if record.kind == "v2" and not record.empty:
        yield from _check_stream(record, allow_long)


def _check_stream(record, allow_long):
    # Volatility 3 reads at most end - start bytes (end inclusive) of a
    # stream, and loops for ever when there are more.
    if record.stored > record.length - 1 and not allow_long:
        yield "stream of %d bytes for %d" % (record.stored, record.length)
    for kind, at, size in record.chunks[1:]:
        if kind > 1:
            yield "chunk of type %#x behind the identifier" % kind
            continue
        made = len(snappy.decode_chunk(record.image, kind, at, size))
        if made == 0:
            yield "chunk of no bytes"
        if kind == 0 and size - 4 >= made - made // 8:
            yield "compressed chunk that saves less than 1/8"


def _check_pair(before, record):
    if before.kind != record.kind:
        yield "%s after %s in one file" % (record.kind, before.kind)
    if record.start < before.end:
        yield "starts at %#x, the one before ends at %#x" \
            % (record.start, before.end)
    # Ranges are merged, so what touches is one range, and in one range only
    # the last block is short.  (A v2 block at risk may be closed early.)
    if record.kind == "v1" and record.start == before.end \
            and before.length != rng.BLOCK:
        yield "goes on where a short record of %d bytes ended" % before.length


# ---- Comparing ----------------------------------------------------------

def expected(memory, wanted, keep_zeros=False):
    """The (start, end) of every record an ideal v1 image has."""
    for start, end in wanted:
        for low, high in rng.blocks(start, end):
            if keep_zeros or not memory.zero(low, high):
                yield low, high


def _first_difference(one, two):
    for at in range(0, len(one), rng.PAGE):
        a, b = bytes(one[at:at + rng.PAGE]), bytes(two[at:at + rng.PAGE])
        if a != b:
            return at + next(i for i in range(len(a)) if a[i] != b[i])
    return len(one)


def _difference(image, pos, memory, low, high):
    """The first address where image and memory differ, or None.

    What is a hole in both files is not read: large sparse images are
    compared in no time.
    """
    runs = [(at - pos + low, end - pos + low)
            for at, end in image.data_runs(pos, pos + high - low)]
    runs += memory.data_runs(low, high)
    for start, end in rng.merge(runs):
        for at, stop in rng.blocks(start, end, PIECE):
            have = bytes(image[at - low + pos:stop - low + pos])
            want = bytes(memory.read(at, stop))
            if have != want:
                return at + _first_difference(have, want)
    return None


def compare_v1(image, memory, wanted, keep_zeros=False, prefix=False):
    """Byte for byte what an ideal writer makes; returns the record count.

    With prefix the image may end early, but only between two records.
    """
    pos = count = 0
    for low, high in expected(memory, wanted, keep_zeros):
        if prefix and pos == len(image):
            return count
        head = HEADER.pack(*V1, low, high - 1, 0)
        got = bytes(image[pos:pos + HEADER.size])
        if got != head:
            raise ImageError("file offset %#x: header %s, expected %s "
                             "(%#x-%#x)" % (pos, got.hex() or "missing",
                                            head.hex(), low, high))
        pos += HEADER.size
        if pos + high - low > len(image):
            raise ImageError("record %#x-%#x: only %d bytes"
                             % (low, high, len(image) - pos))
        at = _difference(image, pos, memory, low, high)
        if at is not None:
            raise ImageError("address %#x (file offset %#x): %#04x, memory "
                             "has %#04x" % (at, at - low + pos,
                                            image[at - low + pos],
                                            memory.read(at, at + 1)[0]))
        pos += high - low
        count += 1
    if pos != len(image):
        raise ImageError("file offset %#x: %d bytes too many"
                         % (pos, len(image) - pos))
    return count


def compare_v2(image, memory, wanted, keep_zeros=False, prefix=False):
    """The decoded bytes, and that all blocks are there and no others.

    Record borders may differ from v1's (a block at risk is closed early or
    joined), so what is compared is the memory covered.
    """
    covered = []
    for record in records(image):
        if record.kind != "v2":
            raise ImageError("record at %#x is %s"
                             % (record.offset, record.kind))
        if record.empty:
            raise ImageError("record at %#x has no data" % record.offset)
        if covered and record.start < covered[-1][1]:
            raise ImageError("record at %#x goes back" % record.offset)
        at = record.start
        for piece in record.pieces():
            want = memory.read(at, at + len(piece))
            if bytes(want) != bytes(piece):
                raise ImageError("address %#x: bytes differ"
                                 % (at + _first_difference(piece, want)))
            at += len(piece)
        covered.append((record.start, record.end))
    count = len(covered)
    covered = rng.merge(covered)
    want = rng.merge(expected(memory, wanted, keep_zeros))
    more = rng.subtract(covered, want)
    if more:
        raise ImageError("holds %#x-%#x, which it should not" % more[0])
    less = rng.subtract(want, covered)
    if prefix and covered:
        less = [r for r in less if r[0] < covered[-1][1]]
    if less and not (prefix and not covered):
        raise ImageError("lacks %#x-%#x" % less[0])
    return count


def compare(image, memory, wanted, keep_zeros=False, prefix=False):
    kind = bytes(image[0:4]) == b"AVML"
    return (compare_v2 if kind else compare_v1)(
        image, memory, wanted, keep_zeros, prefix)
