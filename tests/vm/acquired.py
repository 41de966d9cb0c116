# SPDX-License-Identifier: MIT
"""An image from a guest, v1 or v2: its records, its pages, its faults.

The formats are read by tests/lib, which shares nothing with avml. A v2 image
of a whole guest is too much for a block decompressor in Python, so blocks are
decoded by libsnappy where it is; framing and CRCs are Python's in any case.
"""

import bisect
import ctypes
import multiprocessing
import os
import sys

# Behind this directory's own modules.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             os.pardir, "lib"))

import snappy  # noqa: E402
from image import ImageError, MappedFile, records  # noqa: E402
from ranges import BLOCK, PAGE  # noqa: E402, F401

NAMES = {"v1": "LiME v1", "v2": "AVML v2"}
STORED = 1  # type of a chunk that is not compressed
SAMPLE = 32  # one compressed chunk of so many is decoded by Python too


def block_decoder():
    """A function from a raw block to its bytes, and the decoder's name."""
    try:
        library = ctypes.CDLL("libsnappy.so.1")
    except OSError:
        return snappy.decompress_block, "Python"
    uncompress = library.snappy_uncompress
    uncompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p,
                           ctypes.POINTER(ctypes.c_size_t)]
    out = ctypes.create_string_buffer(snappy.CHUNK)

    def decode(block):
        length = ctypes.c_size_t(len(out))
        if uncompress(block, len(block), out, ctypes.byref(length)):
            raise snappy.SnappyError("libsnappy cannot decode it")
        return ctypes.string_at(out, length.value)
    return decode, "libsnappy"


decode_block, DECODER = block_decoder()


def block_length(file, at):
    """What a compressed chunk, its CRC at this offset, will decode to."""
    return snappy._varint(file[at + 4:at + 9], 0)[0]


class Piece:
    """Memory from start to end as it stands in the file, in one piece.

    That is a v1 record's data, where kind is None, or a chunk of v2.
    """

    def __init__(self, start, end, kind, at, size):
        self.start = start
        self.end = end
        self.kind = kind
        self.at = at
        self.size = size


def show(record):
    return "0x%x-0x%x" % (record.start, record.end)


_checked = None  # the image whose chunks the processes of a pool check


def _check_part(part):
    return _checked.part_faults(*part)


class Image:
    """The records of a file; what is wrong with its form is in faults."""

    def __init__(self, path):
        self.file = MappedFile(path)
        self.size = len(self.file)
        self.records = []
        self.faults = []
        self.pieces = []
        self._last = (None, None)
        try:
            for record in records(self.file):
                self._take(record)
        except (ImageError, snappy.SnappyError) as error:
            self.faults.append(str(error))
        self.kind = self.records[0].kind if self.records else None
        self._starts = [piece.start for piece in self.pieces]

    def _take(self, record):
        faults = list(record.faults)
        if record.reserved:
            faults.append("reserved is 0x%x" % record.reserved)
        if record.start % PAGE or record.end % PAGE:
            faults.append("not whole pages")
        if self.records and record.start < self.records[-1].end:
            faults.append("not above %s" % show(self.records[-1]))
        if self.records and record.kind != self.records[-1].kind:
            faults.append("%s after %s" % (record.kind, self.records[-1].kind))
        if record.kind == "v1":
            self.pieces.append(Piece(record.start, record.end, None,
                                     record.data, record.length))
        else:
            faults += self._take_chunks(record)
        self.records.append(record)
        self.faults += ["record %s at file offset 0x%x: %s"
                        % (show(record), record.offset, fault)
                        for fault in faults]

    def _take_chunks(self, record):
        """Nothing but good data chunks may follow the identifier."""
        start = record.start
        for kind, at, size in record.chunks[1:]:
            if kind > STORED:
                yield "chunk of type 0x%x" % kind
                continue
            length = size - 4
            if kind != STORED:
                length = block_length(self.file, at)
                if (length - (size - 4)) * 8 < length:
                    yield "a compressed chunk that saves less than 1/8"
            if not 0 < length <= snappy.CHUNK:
                yield "chunk of %d bytes" % length
            self.pieces.append(Piece(start, start + length, kind, at, size))
            start += length

    def _bytes(self, piece, start, end):
        """Of a piece from start to end, None if it cannot be decoded."""
        low, high = start - piece.start, end - piece.start
        if piece.kind is None:
            return bytes(self.file[piece.at + low:piece.at + high])
        if self._last[0] is not piece:
            self._last = (piece, self._decode(piece))
        data = self._last[1]
        return None if data is None else data[low:high]

    def _decode(self, piece):
        body = bytes(self.file[piece.at + 4:piece.at + piece.size])
        if piece.kind == STORED:
            return body
        try:
            data = decode_block(body)
        except snappy.SnappyError:
            return None
        return data if len(data) == piece.end - piece.start else None

    def read(self, start, end):
        """The bytes at physical addresses, None if some are not there."""
        out = []
        while start < end:
            i = bisect.bisect_right(self._starts, start) - 1
            if i < 0 or start >= self.pieces[i].end:
                return None
            stop = min(end, self.pieces[i].end)
            out.append(self._bytes(self.pieces[i], start, stop))
            if out[-1] is None:
                return None
            start = stop
        return out[0] if len(out) == 1 else b"".join(out)

    def page(self, address):
        return self.read(address, address + PAGE)

    def is_zero(self, record):
        """Whether a record holds nothing but zeros."""
        step = 1 << 20
        for at in range(record.start, record.end, step):
            part = self.read(at, min(at + step, record.end))
            if part is None or part.count(0) != len(part):
                return False
        return True

    def chunk_faults(self):
        """Of all chunks of v2: CRCs, and a sample decoded a second time.

        Gives the faults, and how many chunks the sample had. CRCs by Python
        take 20 seconds a GiB and CPU, so all CPUs share the work; what they
        check they inherit by fork().
        """
        global _checked
        parts = [(at, min(at + 512, len(self.pieces)))
                 for at in range(0, len(self.pieces), 512)]
        if len(parts) < 4:
            results = [self.part_faults(*part) for part in parts]
        else:
            _checked = self
            with multiprocessing.get_context("fork").Pool() as pool:
                results = pool.map(_check_part, parts, 1)
            _checked = None
        return (sum((faults for faults, _ in results), []),
                sum(sample for _, sample in results))

    def part_faults(self, first, end):
        faults = []
        sample = 0
        for number in range(first, end):
            piece = self.pieces[number]
            data = self._decode(piece)
            where = "0x%x-0x%x at file offset 0x%x: " % (
                piece.start, piece.end, piece.at - 4)
            if data is None:
                faults.append(where + "cannot be decoded")
                continue
            crc = int.from_bytes(self.file[piece.at:piece.at + 4], "little")
            if snappy._masked_crc(data) != crc:
                faults.append(where + "CRC does not match")
            elif piece.kind != STORED and number % SAMPLE == 0:
                body = bytes(self.file[piece.at + 4:piece.at + piece.size])
                sample += 1
                if snappy.decompress_block(body) != data:
                    faults.append(where + "two decoders disagree")
        return faults, sample


def first_difference(one, two):
    """(equal bytes, address where they differ or None) of two images.

    Every byte of the first is looked up in the second.
    """
    same = 0
    for piece in one.pieces:
        for at in range(piece.start, piece.end, 1 << 20):
            stop = min(at + (1 << 20), piece.end)
            a, b = one.read(at, stop), two.read(at, stop)
            if a is None or b is None:
                return same, at
            if a != b:
                return same, at + next(
                    i for i in range(stop - at) if a[i] != b[i])
            same += stop - at
    return same, None
