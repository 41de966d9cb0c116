# SPDX-License-Identifier: MIT
"""One bit after another of an image is flipped, and has to be found.

    flips.py IMAGE COUNT SEED -- COMMAND...

COMMAND verifies IMAGE, which is of version 2. It has to end with status 1,
and to name a fault that is where the bit is: in that chunk, or in that record
where the bit is not one of a chunk. A bit that is not found is forgiven only
if the chunk decodes, by other means, to the very same memory with a right
checksum: then no check of the format covers it. Prints how many were found,
and these places; the status is 1 when any other was missed.
"""

import bisect
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image as images  # noqa: E402
import snappy

_FAULT = re.compile(rb"^fault: offset (\d+)(?: to (\d+))?, "
                    rb"address 0x([0-9a-f]+)", re.M)


class Places:
    """What is where in an image."""

    def __init__(self, path):
        self.file = images.MappedFile(path)
        self.records = list(images.records(self.file))
        self.starts = [record.offset for record in self.records]

    def record(self, at):
        return self.records[bisect.bisect(self.starts, at) - 1]

    def chunk(self, at):
        """(kind, offset of the body, its size), and its address; or None."""
        record = self.record(at)
        address = record.start
        for kind, body, size in record.chunks:
            if body - 4 <= at < body + size:
                return (kind, body, size), address
            if kind <= 1:
                address += record._made(kind, body, size)
        return None, None


def same_memory(places, at, file, byte):
    """Whether its chunk stands for what it does with that byte there."""
    chunk, _address = places.chunk(at)
    if chunk is None or chunk[0] > 1 or at < chunk[1]:
        return False
    try:
        now = bytes(snappy.decode_chunk(places.file, *chunk))
    except snappy.SnappyError:
        return False
    file.seek(at)
    file.write(bytes([byte]))
    return now == bytes(snappy.decode_chunk(places.file, *chunk))


def found(places, at, output):
    """Whether a fault is told of where the bit is."""
    record = places.record(at)
    chunk, address = places.chunk(at)
    low, high = record.offset, record.next
    if chunk is not None and chunk[0] <= 1:
        low, high = chunk[1] - 4, chunk[1] + chunk[2]
    for first, last, where in _FAULT.findall(output):
        first = int(first)
        last = int(last) if last else first + 1
        if first < high and last > low and record.start <= int(where, 16) \
                <= record.end:
            # In a chunk's body the checksum tells the very chunk.
            if chunk is None or at < chunk[1] or \
                    (first, int(where, 16)) == (low, address):
                return True
    return False


def main():
    path, count, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    command = sys.argv[sys.argv.index("--") + 1:]
    places = Places(path)
    numbers = random.Random(seed)
    missed, equal = [], []
    with open(path, "r+b", buffering=0) as file:
        for _ in range(count):
            at = numbers.randrange(len(places.file))
            bit = 1 << numbers.randrange(8)
            byte = places.file[at]
            file.seek(at)
            file.write(bytes([byte ^ bit]))
            run = subprocess.run(command, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, check=False)
            if run.returncode == 1 and found(places, at, run.stdout):
                pass
            elif run.returncode == 0 and same_memory(places, at, file, byte):
                equal.append(at)
            else:
                missed.append((at, bit, run.returncode))
                sys.stderr.write("%d^%#x: status %d\n%s\n" % (
                    at, bit, run.returncode,
                    run.stdout.decode(errors="replace")))
            file.seek(at)
            file.write(bytes([byte]))
    print("%d of %d found, %d decode to the same memory%s" % (
        count - len(missed) - len(equal), count, len(equal),
        ": " + " ".join(map(str, sorted(equal))) if equal else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
