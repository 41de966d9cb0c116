#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes inputs for the fuzz targets to begin with: seeds.py DIRECTORY

Each goes to DIRECTORY/TARGET, named by its hash.  What stands in front of an
input, and what it means, is told at the head of the target's C file.
"""

import hashlib
import os
import pathlib
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "lib"))

import elfcore  # noqa: E402
import oldcore  # noqa: E402
import ranges as rng  # noqa: E402
import snappy  # noqa: E402
from oddity import filled, make_record  # noqa: E402

PAGE = 4096
# How an image is converted: see fuzz_job_take().
LIME, COMPRESSED, RAW = 0, 1, 2
FROM_RAW, KEEP, PEEK, AGAIN, HOLES, FORCE = 4, 8, 16, 32, 64, 128


def record(start, length, fill="text", kind="v1", **options):
    return make_record(start, filled(fill, start, start + length, None), kind,
                       **options)


def images():
    """Small ones of all writers, and odd ones."""
    for kind in ("v1", "v2"):
        yield record(PAGE, 300, kind=kind)
        yield record(0, 16, "7", kind)
        yield record(PAGE, 64, kind=kind) + record(PAGE + 64, 40, "zero", kind)
        yield record(PAGE, PAGE - 1, "9", kind) + \
            record(3 * PAGE, 63, "1", kind)
        yield record(PAGE, 600, "zero", kind) + record(8 * PAGE, 100,
                                                       kind=kind)
        # Out of order, overlapping, mixed, without data, and cut off.
        yield record(PAGE, 64, kind=kind) + record(32, 99, "3", kind)
        yield record(PAGE, 64, kind=kind) + record(PAGE + 32, 64, "3", kind)
        yield record(PAGE, 64, kind=kind) + \
            record(2 * PAGE, 64, kind="v1" if kind == "v2" else "v2")
        yield record(PAGE, 99, kind=kind, data="none") + \
            record(2 * PAGE, 64, kind=kind)
        yield record(PAGE, 64, kind=kind) + \
            record(2 * PAGE, PAGE, "1", kind, data="none")
        yield record(PAGE, 64, kind=kind) + record(2 * PAGE, 64, kind=kind,
                                                   cut=20)
        yield record(0xFFFFFFFFFFFFF000, 64, kind=kind)
        yield record(1 << 40, 64, kind=kind)
        # An image in the memory of an image.
        inner = record(2 * PAGE, 256, kind=kind)
        yield make_record(PAGE, inner.ljust(PAGE, b"x"), kind) + \
            record(4 * PAGE, 16, kind=kind)
        for name, value in (("magic", 7), ("version", 3), ("reserved", 1),
                            ("last", 3 * PAGE), ("last", 5)):
            yield record(PAGE, PAGE, "5", kind, **{name: value}) + \
                record(8 * PAGE, 64, kind=kind)
    for options in ({"how": "literal"}, {"how": "stored"}, {"chunk": 100},
                    {"ident": 2}, {"chunk": 99, "ident-every": 1},
                    {"pad": 0}, {"pad": 9}, {"pad": 5, "padtype": "0x80"},
                    {"padend": 3}, {"trailer": "5"}, {"trailer": "raw"},
                    {"trailer": "none"}, {"chunk": 150, "badcrc": 1},
                    {"badcrc": 0}, {"pad": 500, "chunk": 200}):
        yield record(PAGE, 300, kind="v2", **options) + \
            record(2 * PAGE, 100, kind="v2")
    # Chunks of the full length, and what writers put into the last one.
    yield record(PAGE, 70000, "1", "v2") + record(PAGE + 70000, 99, "2", "v2")
    yield record(PAGE, 70000, "1", "v2", badcrc=0)
    yield record(PAGE, 65536, "zero", "v2") + record(80000, 9, kind="v2")
    # Damaged heads of chunks, which what is behind them proves.
    whole = record(PAGE, 900, "1", "v2", chunk=300) + \
        record(2 * PAGE, 100, kind="v2")
    first = 32 + 10
    for at, bits in ((0, 0x80), (0, 0x04), (0, 0x01), (1, 0x10), (3, 0x01)):
        for chunk in (first, first + 4 + whole[first + 1]):
            yield whole[:chunk + at] + bytes([whole[chunk + at] ^ bits]) + \
                whole[chunk + at + 1:]
    # Incompressible, and what follows without a gap.
    yield record(PAGE, 100, "random") + record(PAGE + 100, 90, "random") + \
        record(PAGE + 190, 500, "1")


    # Zeros that are only named: see fuzz_image_over().
    for before, named, after in ((0, 70000, 9), (9, 300000, 9), (99, 65536, 0),
                                 (0, (1 << 24) - 1, 1), (9, (1 << 24) - 9, 9)):
        yield record(PAGE, before + named + after, "zero", data="none") + \
            b"5" * before + zeros(named) + b"7" * after + record(1 << 30, 5)


def zeros(count):
    return b"\0zeros" + struct.pack("<I", count)[:3]


def raws():
    yield b"1" + zeros((1 << 24) - 1) + b"2"
    yield zeros(300000) + b"1" + zeros(65536)
    yield b"1"
    yield bytes(5000) + b"x"
    yield filled("text", 0, 500, None)


def convert():
    for index, image in enumerate(images()):
        for how in (LIME | AGAIN, COMPRESSED | PEEK, RAW | HOLES,
                    (LIME, COMPRESSED)[index % 2] | KEEP | PEEK | AGAIN):
            yield bytes([how, 0]) + image
    for image in raws():
        yield bytes([LIME | FROM_RAW, 3]) + image
        yield bytes([COMPRESSED | FROM_RAW | KEEP, 0]) + image


def salvage():
    for index, image in enumerate(images()):
        for how in (LIME | PEEK, COMPRESSED, RAW | HOLES | PEEK,
                    LIME | AGAIN):
            yield bytes([how, index % 3]) + image
        yield bytes([LIME | PEEK | AGAIN, 0]) + b"rubbish" + image


def verify():
    for index, image in enumerate(images()):
        yield bytes([index % 4, 0]) + image
        yield bytes([3, 0]) + b"rubbish" + image


def swallowing():
    """One bit of a chunk's length makes it reach to the end of the next."""
    for bit in (8, 9):
        parts = [b"5" * 65536, filled("random", 0, (1 << bit) - 8, None),
                 filled("text", 0, 99, None)]
        packed = snappy.IDENTIFIER + b"".join(map(snappy.data_chunk, parts))
        whole = make_record(PAGE, b"".join(parts), "v2", data="none") + \
            packed + struct.pack("<Q", len(packed))
        for how in (PEEK, 0):
            yield bytes([how, 0]) + \
                struct.pack("<I", (32 + 10 + 1) * 8 + bit)[:3] + whole


def damage():
    yield from swallowing()
    for image in images():
        if image[:4] == b"AVML":
            for at in (36, 43, 48, 60, len(image) - 3):
                yield bytes([PEEK, 0]) + struct.pack("<I", at * 8)[:3] + image
                yield b"\0\0" + struct.pack("<I", at * 8 + 7)[:3] + image


def records():
    for image in images():
        yield image[:32]


def framing():
    texts = [b"x", bytes(300), bytes(65536), b"ab" * 500,
             filled("random", 1, 400, None), filled("text", 0, 700, None)]
    for text in texts:
        for how in ("copy", "literal", "stored"):
            yield b"\1\0\0\0" + snappy.IDENTIFIER + \
                snappy.data_chunk(text, how)
        yield b"\0" + struct.pack("<I", len(text))[:3] + \
            snappy.data_chunk(text, "copy")
        if len(text) < 5000:
            yield b"\7\0\0\0" + text
    yield b"\1\0\0\0" + snappy.data_chunk(bytes(99)) * 3 + \
        snappy.chunk(0xFE, b"pad") + snappy.data_chunk(b"bad" * 50,
                                                       "copy", True)
    for length in (0, 1, 65, 66, 67, 68, 5000, 65536, 65537, 200000):
        yield b"\6\0\0\0" + struct.pack("<I", length)[:3]


IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
000a0000-000bffff : PCI Bus 0000:00
00100000-3fffffff : System RAM
  01000000-01c031d0 : Kernel code
fee00000-fee00fff : Local APIC
100000000-23fffffff : System RAM
"""


def iomem():
    yield IOMEM.encode()
    yield IOMEM.replace("\n", "\r\n").encode()
    yield IOMEM.upper().replace("SYSTEM", "System").encode()
    yield IOMEM.rstrip("\n").encode()
    yield "".join(sorted(IOMEM.splitlines(True), reverse=True)).encode()
    yield b"00000000-00000000 : System RAM\n" * 3
    yield b"1000-1fff : System RAM (boot memory)\nrubbish\n2000-2fff : \n"
    yield b"2000-1fff : System RAM\n"
    yield b"ffffffffffffffff-ffffffffffffffff : System RAM\n"
    yield b"0-fffffffffffffffe : System RAM\n"
    yield b"100000-1fffff : System RAM\n  180000-2fffff : System RAM\n"
    yield b"1000-1fff : System RAM"
    yield b"1000-1f"
    yield b"\n \n1000-1fff  :System RAM\n0x1000-1fff : System RAM\n"


def ram(pairs):
    """What is RAM, as fuzz_kcore.c wants it in front."""
    out, at = bytes([len(pairs)]), 0
    for start, end in pairs:
        out += struct.pack("<I", (start - at) // PAGE)[:3]
        out += struct.pack("<I", (end - start) // PAGE - 1)[:3]
        at = end
    return out


def kcore():
    with tempfile.TemporaryDirectory() as scratch:
        yield from kcore_in(pathlib.Path(scratch))


def kcore_in(scratch):
    for head in sorted(TESTS.glob("data/*/kcore.head")):
        pairs = rng.align_inwards(rng.parse_iomem(
            (head.parent / "iomem").read_text()))[:16]
        data = head.read_bytes()
        size, count = struct.unpack_from("<HH", data, 54)
        data = data[:64 + size * count]
        yield ram(pairs) + data
        # As a kernel before 4.11 would say it.
        old = bytearray(data)
        for index in range(count):
            struct.pack_into("<Q", old, 64 + index * size + 24, 0)
        yield ram(pairs) + bytes(old)
    pairs = [(PAGE, 0x9F000), (0x100000, 0x200000)]
    text = "".join("%x-%x : System RAM\n" % (a, b - 1) for a, b in pairs)
    path = scratch / "kcore"
    with open(scratch / "memory", "w+b") as memory:
        memory.truncate(0x200000)
        for lies in [[], *([lie] for lie in sorted(
                {*elfcore.HEADER_LIES, *elfcore.SEGMENT_LIES, "no-ram",
                 "overlapping", "missing-range", "truncated-header",
                 "truncated-table"}))]:
            elfcore.write(path, memory.fileno(), pairs, set(lies))
            yield ram(pairs) + head_of(path)
        for model in oldcore.MODELS:
            try:
                oldcore.write(path, memory.fileno(), text, model, set())
            except OSError:
                continue  # offsets that this file system does not take
            yield ram(pairs) + head_of(path)
            yield b"\0" + head_of(path)


def head_of(path):
    with open(path, "rb") as file:
        return file.read(64 + 56 * 12)


def kpageflags():
    words = [0, 1 << 19, 1 << 20, 1 << 23, 7 << 19, 1 << 63, (1 << 64) - 1]
    data = struct.pack("=%dQ" % len(words), *words)
    for front in ((0, 0, 7), (0, 3, 9), (0, 0, 200), (52, 0xFFFF, 3),
                  (63, 1, 5), (0, 0, 0)):
        yield struct.pack("<BHH", *front) + data
        yield struct.pack("<BHH", *front) + data * 20 + b"xyz"
        yield struct.pack("<BHH", *front)


def options():
    lines = [
        (0, "--compress --source mem out.lime"),
        (0, "--iomem=iomem --proc proc --dev dev out --threads 4"),
        (0, "--keep_zeros --no-sparse --no-clobber --force --quiet -- -out"),
        (0, "--max-disk-usage 17592186044416 --min-free=1 -"),
        (0, "--max-disk-usage-percentage 99.9 --max-unreadable 100 out"),
        (0, "--threads 0 out"), (1, "--threads 64 in out"),
        (1, "--threads 65 in out"), (0, "--min-free 17592186044417 out"),
        (0, "--threads 18446744073709551616 out"),
        (0, "--max-unreadable .5 out"),
        (1, "--format raw --source-format lime_compressed in out"),
        (1, "--format=lime --salvage in -"),
        (1, "--format elf in out"),
        (1, "in out more"),
        (1, "in"),
        (2, "--json --map --threads 3 image"), (2, "--map"),
        (3, "--quiet image"), (3, "image --threads=65"),
        (4, "--json --proc proc"),
        (4, "--json --json"),
        (2, "--help"), (1, "-h"), (0, "-V"), (0, "--version --verbose"),
        (0, "--verbose"), (2, "--json=1"), (0, "--source"), (0, "--source="),
    ]
    for command, line in lines:
        yield bytes([command]) + line.replace(" ", "\0").encode()
        yield bytes([command]) + line.replace(" ", "\0").encode() + b"\0"


def main(directory):
    makers = {"convert": convert, "salvage": salvage, "damage": damage,
              "verify": verify, "record": records,
              "framing": framing, "iomem": iomem,
              "kcore": kcore, "kpageflags": kpageflags,
              "options": options}
    directory.mkdir(parents=True, exist_ok=True)
    for name, maker in makers.items():
        (directory / name).mkdir(exist_ok=True)
        for data in maker():
            path = directory / name / hashlib.sha1(data).hexdigest()
            path.write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.umask(0o022)
    main(pathlib.Path(sys.argv[1]))
