# SPDX-License-Identifier: MIT
"""Reads LiME v1 and AVML v2 images: records, their bytes, their faults."""

import mmap
import os
import struct

import ranges as rng
import snappy

HEADER = struct.Struct("<IIQQQ")
V1 = (0x4C694D45, 1)
V2 = (0x4C4D5641, 2)
NAMES = {V1: "v1", V2: "v2"}
MOST_V2 = 128 << 20  # a joined block at risk may be this long
# Bytes are compared so many at a time: copied out of a file's view, since
# views themselves are compared one by one, and within a processor's cache.
PIECE = 256 << 10
_ZERO = bytes(PIECE)


class ImageError(Exception):
    pass


def is_zero(data):
    for at in range(0, len(data), PIECE):
        part = bytes(data[at:at + PIECE])
        if part != _ZERO[:len(part)]:
            return False
    return True


def is_same(one, two):
    """Whether these bytes are those; both are views, or bytes."""
    return len(one) == len(two) and all(
        bytes(one[at:at + PIECE]) == bytes(two[at:at + PIECE])
        for at in range(0, len(one), PIECE))


class MappedFile:
    """A file's bytes without reading them all; an empty file too."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.size = os.fstat(self.file.fileno()).st_size
        self.map = b""
        if self.size:
            self.map = mmap.mmap(self.file.fileno(), 0, prot=mmap.PROT_READ)
        self.view = memoryview(self.map)

    def __len__(self):
        return self.size

    def __getitem__(self, key):
        return self.view[key]

    def data_runs(self, start, end):
        """Where between start and end the file has data, not holes."""
        at = start
        while at < min(end, self.size):
            try:
                at = os.lseek(self.file.fileno(), at, os.SEEK_DATA)
                stop = os.lseek(self.file.fileno(), at, os.SEEK_HOLE)
            except OSError:  # nothing but a hole to the end
                return
            if at < end:
                yield at, min(stop, end)
            at = stop


class Memory(MappedFile):
    """The memory an image was made of; zeros behind the file's end.

    Stretches listed as unreadable count as zeros, which is what an image
    must hold in their place.  Parts (memory, start, end) are of another.
    """

    def __init__(self, path, unreadable=(), parts=()):
        super().__init__(path)
        self.unreadable = list(unreadable)
        self.parts = list(parts)

    def data_runs(self, start, end):
        yield from super().data_runs(start, end)
        for memory, low, high in self.parts:
            yield from memory.data_runs(max(low, start), min(high, end))

    def read(self, start, end):
        data = self.view[start:min(end, self.size)]
        hidden = [r for r in self.unreadable if r[0] < end and r[1] > start]
        parts = [p for p in self.parts if p[1] < end and p[2] > start]
        if len(data) == end - start and not hidden and not parts:
            return data
        data = bytearray(data)
        data += bytes(end - start - len(data))
        for memory, low, high in parts:
            low, high = max(low, start), min(high, end)
            data[low - start:high - start] = memory.read(low, high)
        for low, high in hidden:
            low, high = max(low, start) - start, min(high, end) - start
            data[low:high] = bytes(high - low)
        return memoryview(data)

    def zero(self, start, end):
        return all(is_zero(self.read(*run))
                   for run in self.data_runs(start, end))


class Record:
    """One record: where it stands in the file and which memory it holds."""

    def __init__(self, image, offset):
        self.image = image
        self.offset = offset
        if offset + HEADER.size > len(image):
            raise ImageError("file offset %#x: header cut off, %d bytes left"
                             % (offset, len(image) - offset))
        magic, version, self.start, last, self.reserved = \
            HEADER.unpack(image[offset:offset + HEADER.size])
        if (magic, version) not in NAMES:
            raise ImageError("file offset %#x: no header (magic %#010x, "
                             "version %d)" % (offset, magic, version))
        self.kind = NAMES[magic, version]
        self.end = last + 1
        self.data = offset + HEADER.size
        self.length = self.end - self.start
        self.empty = False
        self.faults = []
        self.chunks = []
        self.trailer = None
        if self.length <= 0:
            raise ImageError("file offset %#x: end %#x before start %#x"
                             % (offset, last, self.start))
        if self.kind == "v1":
            self.next = self.data + self.length
            self.stored = self.length
            if self.next > len(image):
                raise ImageError(
                    "file offset %#x: record of %d bytes, %d are there"
                    % (offset, self.length, len(image) - self.data))
        else:
            self._walk()

    def _walk(self):
        """Finds a v2 record's end: by its data, never by its trailer."""
        image, made = self.image, 0
        pos = self.data
        if bytes(image[pos:pos + 10]) != snappy.IDENTIFIER:
            # Writers there were that left the data of zero blocks out.
            self.empty = True
            self.next, self.stored = pos, 0
            self.faults.append("header without data")
            return
        try:
            for kind, at, size in snappy.chunks(image, pos, len(image)):
                self.chunks.append((kind, at, size))
                pos = at + size
                if kind <= 1:
                    made += self._made(kind, at, size)
                elif kind < 0x80:
                    raise ImageError("file offset %#x: chunk of type %#x"
                                     % (at - 4, kind))
                elif kind == 0xFF and \
                        bytes(image[at - 4:pos]) != snappy.IDENTIFIER:
                    raise ImageError("file offset %#x: bad identifier"
                                     % (at - 4))
                if made >= self.length:
                    break
        except snappy.SnappyError as error:
            raise ImageError("record at %#x: %s" % (self.offset, error))
        if made != self.length:
            raise ImageError("file offset %#x: stream gives %d bytes of %d"
                             % (self.offset, made, self.length))
        self.stored = pos - self.data
        self.next = pos + 8
        if self.next > len(image):
            raise ImageError("file offset %#x: trailer cut off" % pos)
        self.trailer = int.from_bytes(image[pos:pos + 8], "little")
        if self.trailer == self.length != self.stored:
            self.faults.append("trailer is the uncompressed length")
        elif self.trailer != self.stored:
            self.faults.append("trailer says %d, stream has %d bytes"
                               % (self.trailer, self.stored))

    def _made(self, kind, at, size):
        if kind == 1:
            return size - 4
        return snappy._varint(self.image[at + 4:at + 9], 0)[0]

    def pieces(self):
        """The bytes, piece by piece, decoded and their CRCs checked."""
        if self.empty:
            yield memoryview(bytes(self.length))
        elif self.kind == "v1":
            for at in range(self.data, self.next, rng.BLOCK):
                yield self.image[at:min(at + rng.BLOCK, self.next)]
        else:
            for kind, at, size in self.chunks:
                if kind <= 1:
                    yield snappy.decode_chunk(self.image, kind, at, size)

    def zero(self):
        return all(is_zero(piece) for piece in self.pieces())


def records(image):
    """All records of an image; ImageError where it ends to make sense."""
    offset = 0
    while offset < len(image):
        record = Record(image, offset)
        yield record
        offset = record.next
