# SPDX-License-Identifier: MIT
"""A reader of LiME v1 images that shares nothing with avml's own.

Written from the format alone: 32 bytes of header (magic, version, first
address, last address, eight reserved bytes, little-endian), then the bytes
from the first address to the last, then the next record, to the end of the
file.
"""

import bisect
import mmap
import struct

MAGIC = 0x4C694D45
HEADER = struct.Struct("<IIQQQ")
PAGE = 4096
BLOCK = 16 << 20


class Record:
    """Addresses [start, end) lie in the file from offset on."""

    def __init__(self, start, end, offset):
        self.start = start
        self.end = end
        self.offset = offset

    def __str__(self):
        return "0x%x-0x%x" % (self.start, self.end)


class Image:
    """The records of a file; what is wrong with its form is in faults."""

    def __init__(self, path):
        self.records = []
        self.faults = []
        with open(path, "rb") as file:
            file.seek(0, 2)
            self.size = file.tell()
            self.data = b""
            if self.size:
                self.data = mmap.mmap(file.fileno(), 0,
                                      access=mmap.ACCESS_READ)
        self._read_table()
        self._starts = [record.start for record in self.records]

    def _read_table(self):
        at = 0
        while at < self.size:
            where = "record %d at file offset 0x%x" % (len(self.records), at)
            if self.size - at < HEADER.size:
                self.faults.append("%s: %d bytes left, no header"
                                   % (where, self.size - at))
                return
            magic, version, start, last, reserved = HEADER.unpack_from(
                self.data, at)
            if magic != MAGIC or version != 1:
                self.faults.append("%s: magic 0x%x, version %d"
                                   % (where, magic, version))
                return
            if reserved:
                self.faults.append("%s: reserved is 0x%x" % (where, reserved))
            if last < start:
                self.faults.append("%s: last byte 0x%x before the first 0x%x"
                                   % (where, last, start))
                return
            at += HEADER.size
            if last - start + 1 > self.size - at:
                self.faults.append("%s: 0x%x-0x%x inclusive is cut off"
                                   % (where, start, last))
                return
            record = Record(start, last + 1, at)
            if start % PAGE or record.end % PAGE:
                self.faults.append("%s: %s is not whole pages"
                                   % (where, record))
            if self.records and start < self.records[-1].end:
                self.faults.append("%s: %s does not lie above %s"
                                   % (where, record, self.records[-1]))
            self.records.append(record)
            at += record.end - start

    def page(self, address):
        """The page at a physical address, None if it is not in the image."""
        i = bisect.bisect_right(self._starts, address) - 1
        if i < 0 or address + PAGE > self.records[i].end:
            return None
        at = self.records[i].offset + address - self.records[i].start
        return self.data[at:at + PAGE]

    def is_zero(self, record):
        """Whether a record holds nothing but zeros."""
        step = 1 << 20
        end = record.offset + record.end - record.start
        for at in range(record.offset, end, step):
            part = self.data[at:min(at + step, end)]
            if part.count(0) != len(part):
                return False
        return True
