# SPDX-License-Identifier: MIT
"""Makes /proc/kcore as Linux since 4.11 presents it, and lies about it."""

import os
import struct

MIB = 1 << 20
PAGE = 4096

PT_LOAD, PT_NOTE = 1, 4
ALL_ONES = (1 << 64) - 1
DIRECT_MAP = 0xFFFF888000000000
TEXT_MAP = 0xFFFFFFFF81000000
VMALLOC = 0xFFFFC90000000000
DATA = 0x4000       # kcore's data begin behind its headers, page aligned
TEXT_AT = 1 << 40   # far behind, as the kernel's own offset is

# What goes wrong with e_* fields: name, offset in the header, format, value.
HEADER_LIES = {
    "phnum-zero": (56, "<H", 0),
    "phnum-many": (56, "<H", 65534),
    "phnum-xnum": (56, "<H", 65535),
    "phentsize-zero": (54, "<H", 0),
    "phentsize-small": (54, "<H", 32),
    "phentsize-huge": (54, "<H", 65535),
    "phoff-huge": (32, "<Q", 1 << 63),
    "phoff-wraps": (32, "<Q", ALL_ONES - 63),
    "phoff-past-end": (32, "<Q", 1 << 43),
    "not-elf": (0, "4s", b"ELF\x7f"),
    "elf32": (4, "B", 1),
    "big-endian": (5, "B", 2),
    "not-core": (16, "<H", 2),
}
# Lies of every RAM segment: field index in the program header, value.
SEGMENT_LIES = {
    "offset-huge": (2, (1 << 63) + DATA),
    "offset-wraps": (2, ALL_ONES - PAGE + 1),
    "filesz-huge": (5, ALL_ONES - PAGE + 1),
    "paddr-wraps": (4, ALL_ONES - PAGE + 1),
    "paddr-none": (4, ALL_ONES),
    "paddr-zero": (4, 0),
    "type-null": (0, 0),
}
FILE_LIES = ("empty", "truncated-header", "truncated-table",
             "truncated-data", "no-ram", "overlapping", "missing-range",
             "text-differs", "directory", "absent", "no-iomem")
LIES = sorted([*HEADER_LIES, *SEGMENT_LIES, *FILE_LIES])


class Segment:
    """One program header, and the memory that stands at its offset."""

    def __init__(self, vaddr, paddr, size, offset, ram=True):
        self.fields = [PT_LOAD, 7, offset, vaddr, paddr, size, size, PAGE]
        self.copy = (paddr, paddr + size) if ram else None

    def pack(self, order="<"):
        return struct.pack(order + "IIQQQQQQ",
                           *(field & ALL_ONES for field in self.fields))


def _segments_of(wanted, lies):
    """Kernel text first, then the virtual ranges, then one a RAM range."""
    if "missing-range" in lies:
        wanted = wanted[:-1]
    big = max(wanted, key=lambda r: r[1] - r[0])
    text = (big[0] + PAGE, min(big[0] + PAGE + 2 * MIB, big[1]))
    out = [
        Segment(TEXT_MAP, text[0], text[1] - text[0], TEXT_AT),
        Segment(VMALLOC, ALL_ONES, 0x1FFFFFFFFFFF, 1 << 45, ram=False),
    ]
    if "no-ram" in lies:
        return out[1:]
    ram = []
    for start, end in wanted:
        parts = [(start, end)]
        if "overlapping" in lies and end - start > 4 * PAGE:
            middle = (start + end) // 2 // PAGE * PAGE
            parts = [(start, middle + PAGE), (middle - PAGE, end)]
        ram += [Segment(DIRECT_MAP + a, a, b - a, DATA + a) for a, b in parts]
    # The kernel lists them as they were found, with virtual ones between.
    ram.insert(1, Segment(0xFFFFEA0000000000, ALL_ONES, 0x3000, 1 << 46,
                          ram=False))
    return out + ram


def elf_header(count, order="<", machine=62):
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01"
    return ident + bytes(9) + struct.pack(
        order + "HHIQQQIHHHHHH", 4, machine, 1, 0, 64, 0, 0, 64, 56, count,
        0, 0, 0)


def note_header(count, size, order="<"):
    return struct.pack(order + "IIQQQQQQ", PT_NOTE, 0, 64 + 56 * count, 0, 0,
                       size, 0, 0)


def _notes():
    body = b"OSRELEASE=6.1.0-test\nPAGESIZE=4096\n"
    body += bytes(-len(body) % 4)
    name = b"VMCOREINFO\0\0"
    return struct.pack("<III", 11, len(body), 0) + name + body


def copy_memory(memory, out, start, end, offset):
    """Copies a stretch of memory, holes left as holes."""
    at = start
    while at < end:
        try:
            at = os.lseek(memory, at, os.SEEK_DATA)
            stop = min(os.lseek(memory, at, os.SEEK_HOLE), end)
        except OSError:
            return
        while at < stop:
            data = os.pread(memory, min(MIB, stop - at), at)
            if not data:
                return
            os.pwrite(out, data, offset + at - start)
            at += len(data)


def _head_segments(head):
    """The PT_LOADs of a real kernel's first bytes that name RAM."""
    phoff, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    for index in range(count):
        kind, _, offset, _, paddr, filesz, _, _ = \
            struct.unpack_from("<IIQQQQQQ", head, phoff + index * size)
        if kind == PT_LOAD and paddr != ALL_ONES:
            yield offset, paddr, filesz


def create(path):
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def from_head(path, head, memory):
    """A real kernel's kcore head with made-up memory at its offsets."""
    out = create(path)
    os.pwrite(out, head, 0)
    end = len(head)
    for offset, paddr, size in _head_segments(head):
        copy_memory(memory, out, paddr, paddr + size, offset)
        end = max(end, offset + size)
    os.ftruncate(out, end)
    os.close(out)


def _copy_segment(memory, out, segment, lies):
    """The data stand where they belong whatever the header will say."""
    start, stop = segment.copy
    offset = segment.fields[2]
    if offset == TEXT_AT and "text-differs" in lies:
        os.pwrite(out, b"\xee" * (stop - start), offset)
    else:
        copy_memory(memory, out, start, stop, offset)
    return offset + stop - start


def write(path, memory, wanted, lies):
    """A kcore of the wanted ranges of memory (a descriptor)."""
    if "absent" in lies:
        return
    if "directory" in lies:
        os.mkdir(path)
        return
    out = create(path)
    segments = _segments_of(wanted, lies)
    note = _notes()
    count = len(segments) + 1
    table = note_header(count, len(note))
    end = DATA
    for segment in segments:
        if segment.copy:
            end = max(end, _copy_segment(memory, out, segment, lies))
            for lie in lies & SEGMENT_LIES.keys():
                field, value = SEGMENT_LIES[lie]
                segment.fields[field] = value
        table += segment.pack()
    header = bytearray(elf_header(count))
    for lie in lies & HEADER_LIES.keys():
        offset, form, value = HEADER_LIES[lie]
        struct.pack_into(form, header, offset, value)
    os.pwrite(out, bytes(header) + table + note, 0)
    os.ftruncate(out, end)
    cuts = {"empty": 0, "truncated-header": 40,
            "truncated-table": 64 + 56 + 20,
            "truncated-data": DATA + wanted[-1][1] // 2 // PAGE * PAGE}
    for lie in lies & cuts.keys():
        os.ftruncate(out, cuts[lie])
    os.close(out)
