# SPDX-License-Identifier: MIT
"""A small made-up machine, and images of it to be converted."""

import hashlib
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, "lib"))

import ranges as rng  # noqa: E402

KIB = 1 << 10
MIB = 1 << 20
PAGE = rng.PAGE

# A record below 1 MiB; one with zeros in it, and a part of a page behind it;
# a block of zeros and a block that ends with data; memory that does not
# compress, more than 1 GiB higher, where a hole is made at once; a range of
# zeros.
IOMEM = """\
00000000-00000fff : Reserved
00001000-0000bfff : System RAM
00100000-002403ff : System RAM
  00110000-0011ffff : Kernel code
00300000-014fffff : System RAM
01500000-015fffff : PCI Bus 0000:00
80000000-8007ffff : System RAM
90000000-9000ffff : System RAM
"""
CUT = 0x80000000  # where sources end that are too short
RAW = 0x280000    # where the raw image does

WORDS = (b"the of kernel task inode cache page slab mutex error device "
         b"/usr/lib/ systemd root:x:0:0 LANG=C ").split()


def text(rand, count):
    """Compresses well, and differs from page to page."""
    out = b" ".join(rand.choices(WORDS, k=count // 4))
    return (out + out)[:count]


def contents():
    """(address, bytes) of all that is not zero."""
    rand = random.Random(3)
    yield 0x1000, text(rand, 44 * KIB)
    # Zeros of less and of more than 64 KiB between data.
    yield 0x100000, text(rand, 200 * KIB)
    yield 0x100000 + 240 * KIB, rand.randbytes(16 * KIB)
    yield 0x100000 + 600 * KIB, text(rand, 300 * KIB)
    yield 0x100000 + MIB, text(rand, 257 * KIB)
    # The second block of its range: zeros in front, zeros at the end.
    second = 0x300000 + rng.BLOCK
    yield second + 600 * KIB, text(rand, 100 * KIB)
    yield second + MIB, rand.randbytes(300 * KIB)
    yield 0x80000000, rand.randbytes(512 * KIB)


class Machine:
    """Files below a directory, named as attributes."""

    NAMES = {
        "memory": "a byte's offset is its address",
        "iomem": "what of it is RAM",
        "proc": "a proc with kcore",
        "host_root": "a root file system that goes with it",
        "flagged": "the same with kpageflags, and bad pages",
        "legacy": "the same of an old kernel",
        "bare": "a proc with nothing in it",
        "dev": "a dev with a crash that ends early",
        "short": "a memory that does",
        "raw": "an image of the first megabytes",
        "v1": "an image",
        "v2": "the same",
        "cut": "v2 without its end",
        "bad": "v2 with a wrong byte",
        "rotten": "v2 with one in its first record",
    }

    def __init__(self, root):
        self.root = root
        for name in self.NAMES:
            setattr(self, name, os.path.join(root, name))
        self._make_memory()
        self.wanted = rng.to_read(self.iomem)
        self._copy(self.raw, RAW)
        self._copy(self.short, CUT)
        os.mkdir(self.dev)
        self._copy(os.path.join(self.dev, "crash"), CUT)

    def _make_memory(self):
        given = os.path.join(self.root, "given")
        with open(given, "w", encoding="ascii") as file:
            file.write(IOMEM)
        self._mkimage("--fill", "zero", "--iomem", given)
        with open(self.memory, "r+b") as file:
            for address, data in contents():
                file.seek(address)
                file.write(data)
        self._mkimage("--keep", "--proc", self.proc, "--root", self.host_root)
        self._mkimage("--keep", "--proc", self.flagged, "--kpageflags",
                      "--page-flag", "0x104000-0x107000=hwpoison",
                      "--page-flag", "0x80003000=offline",
                      "--meminfo", "HardwareCorrupted=12")
        self._mkimage("--keep", "--proc", self.legacy, "--kcore-legacy",
                      "rhel7")
        os.mkdir(self.bare)
        os.unlink(given)

    def _mkimage(self, *args):
        subprocess.run([sys.executable, "-IS",
                        os.path.join(TESTS, "mkimage"), *args, self.memory,
                        self.iomem], check=True)

    def _copy(self, path, size):
        """The beginning of memory, with its holes."""
        with open(self.memory, "rb") as file, open(path, "wb") as out:
            for start, end in data_runs(file, size):
                file.seek(start)
                out.seek(start)
                out.write(file.read(end - start))
            out.truncate(size)

    def add_images(self, v1, v2):
        """What conversions read, of images known to be good."""
        third = len(v2) * 2 // 3
        bad = bytearray(v2)
        bad[third] ^= 1
        rotten = bytearray(v2)
        rotten[64] ^= 1
        for path, data in ((self.v1, v1), (self.v2, v2),
                           (self.cut, v2[:third]), (self.bad, bad),
                           (self.rotten, rotten)):
            with open(path, "wb") as out:
                out.write(data)

    def files(self):
        for where, _, names in sorted(os.walk(self.root)):
            for name in sorted(names):
                yield os.path.join(where, name)

    def state(self):
        """Changes when any of the files does; cheap."""
        return [(path, st.st_size, st.st_mtime_ns, st.st_mode, st.st_nlink)
                for path in self.files() for st in (os.stat(path),)]

    def digest(self):
        """The same, and does not believe the times."""
        out = hashlib.sha256()
        for path in self.files():
            with open(path, "rb") as file:
                for start, end in data_runs(file, os.path.getsize(path)):
                    file.seek(start)
                    out.update(b"%d-%d" % (start, end))
                    out.update(file.read(end - start))
        return out.hexdigest()


def data_runs(file, size):
    """Where an open file has data below `size`, not holes."""
    at = 0
    while at < size:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        if at >= size:
            return
        stop = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), size)
        yield at, stop
        at = stop
