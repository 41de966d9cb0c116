# SPDX-License-Identifier: MIT
"""What a guest said of itself: its RAM, its kcore, its planted pages.

All of it comes from files that the guest's init wrote before the first
acquisition, and from the file that is the guest's RAM. Intervals are
(start, end), end exclusive.
"""

import copy
import mmap
import operator
import os
import re
import struct

from acquired import BLOCK, PAGE
from patched import is_same_text

FOUR_GIB = 1 << 32
MASK64 = (1 << 64) - 1
POISONED = "hardware poisoned (kpageflags)"
FAULT = "Bad address"


def merge(intervals):
    out = []
    for start, end in sorted(intervals):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        elif start < end:
            out.append((start, end))
    return out


def intersect(a, b):
    both = [(max(s, t), min(e, f)) for s, e in a for t, f in b]
    return merge((s, e) for s, e in both if s < e)


def subtract(a, b):
    out = []
    for start, end in merge(a):
        for s, e in merge(b):
            if e <= start or s >= end:
                continue
            if s > start:
                out.append((start, s))
            start = e
        if start < end:
            out.append((start, end))
    return out


def inwards(intervals):
    """Whole pages only; what touches has to be merged before."""
    out = [(-(-s // PAGE) * PAGE, e // PAGE * PAGE) for s, e in intervals]
    return [(s, e) for s, e in out if s < e]


def size(intervals):
    return sum(end - start for start, end in intervals)


def show(intervals):
    return " ".join("0x%x-0x%x" % pair for pair in intervals) or "none"


def iomem_ranges(text, name):
    """The lines of a name at any depth, but not those within another."""
    out = []
    inside = None
    for line in text.splitlines():
        match = re.match(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
        if not match:
            continue
        depth = len(match.group(1))
        if inside is not None and depth > inside:
            continue
        inside = None
        if match.group(4).startswith(name):
            inside = depth
            out.append((int(match.group(2), 16), int(match.group(3), 16) + 1))
    return out


def kcore_loads(head):
    """(address, size, virtual address) of an ELF64 core's PT_LOADs."""
    if head[:6] != b"\x7fELF\x02\x01":
        raise ValueError("kcore.head is no little-endian ELF64")
    phoff, = struct.unpack_from("<Q", head, 32)
    phentsize, phnum = struct.unpack_from("<HH", head, 54)
    out = []
    for i in range(phnum):
        kind, _, _, vaddr, paddr, _, memsz = struct.unpack_from(
            "<IIQQQQQ", head, phoff + i * phentsize)
        # PT_LOAD; an address of all ones means virtual memory alone.
        if kind == 1 and paddr != MASK64:
            out.append((paddr, memsz, vaddr))
    return out


class Pattern:
    """The planted pages (plant.c), computed 256 words at a time.

    Python's integers are the vector registers: a lane of 128 bits holds one
    64-bit word, so that a product has room and a mask cuts it to 64 bits.
    Even and odd words of a page are two such integers.
    """

    GOLDEN = 0x9E3779B97F4A7C15
    LANES = 256

    def __init__(self, seed):
        self.seed = seed
        self.ones = sum(1 << (128 * i) for i in range(self.LANES))
        self.low = self.ones * MASK64
        self.steps = [
            sum(((2 * i + odd) * self.GOLDEN & MASK64) << (128 * i)
                for i in range(self.LANES))
            for odd in (0, 1)]

    def _half(self, base, steps):
        z = (self.ones * base + steps) & self.low
        z = (z ^ (z >> 30 & self.low)) * 0xBF58476D1CE4E5B9 & self.low
        z = (z ^ (z >> 27 & self.low)) * 0x94D049BB133111EB & self.low
        return z ^ (z >> 31 & self.low)

    def page(self, index):
        base = self.seed + (index * 512 + 1) * self.GOLDEN & MASK64
        even, odd = (self._half(base, steps) for steps in self.steps)
        return (even | odd << 64).to_bytes(PAGE, "little")


class Guest:
    """The facts of one boot, from the directory guest/ of its results."""

    def __init__(self, path):
        self.path = path
        self.boot = self._text("boot").strip()
        words = self._text("uname").split()
        self.release = words[2]
        self.machine = next(word for word in reversed(words)
                            if word != "GNU/Linux")
        self._take(path)
        self._read_plants()
        self._open_ram()

    def _text(self, name):
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return file.read()

    def _take(self, path):
        """What is RAM, and what kcore has of it."""
        with open(os.path.join(path, "kcore.head"), "rb") as file:
            loads = kcore_loads(file.read())
        self.kcore = merge((start, start + length)
                           for start, length, _ in loads)
        # Where x86_64 has a fifth level its direct map is far lower.
        self.levels = 5 if min(vaddr for _, _, vaddr in loads) \
            < 0xFFFF800000000000 else 4
        with open(os.path.join(path, "iomem"), encoding="ascii") as file:
            self._take_iomem(file.read())

    def _take_iomem(self, iomem):
        self.iomem = merge(iomem_ranges(iomem, "System RAM"))
        self.whole = inwards(self.iomem)
        self.trimmed = subtract(self.iomem, self.whole)
        self._take_kcore()
        # Kernel code lies within System RAM, where iomem_ranges() by the
        # name of the RAM does not look.
        code = re.search(r"^ *([0-9a-f]+)-([0-9a-f]+) : Kernel code$",
                         iomem, re.M)
        self.text = []
        if code:
            self.text = inwards([(int(code.group(1), 16),
                                  int(code.group(2), 16) + 1)])

    def _take_kcore(self):
        self.ranges = intersect(self.whole, self.kcore)
        self.not_in_kcore = subtract(self.whole, self.kcore)

    # The same guest, otherwise seen.

    def at(self, path):
        """As it was at a case that has an iomem and a kcore.head."""
        other = copy.copy(self)
        if os.path.exists(os.path.join(path, "iomem")):
            other._take(path)
        return other

    def of_boot(self):
        return self.at(self.path)

    def of_text(self, iomem):
        """With this iomem."""
        other = copy.copy(self)
        other._take_iomem(iomem)
        return other

    def of_kcore(self):
        """Seen by one who does not see iomem."""
        other = copy.copy(self)
        other.iomem = other.whole = inwards(self.kcore)
        other.trimmed = []
        other._take_kcore()
        return other

    def without_kcore(self):
        """Seen by one who reads anything that iomem names."""
        other = copy.copy(self)
        other.kcore = self.whole
        other._take_kcore()
        return other

    # Pages with known content.

    def _read_plants(self):
        seed, before = self._table("before")
        seed_after, after = self._table("after")
        if seed != seed_after or before.keys() != after.keys():
            raise ValueError("the two tables of plant do not belong together")
        self.moved = [i for i in before if before[i] != after[i]]
        pattern = Pattern(seed)
        # Pages that the kernel moved prove nothing, either way.
        self.planted = {before[i]: pattern.page(i) for i in before
                        if before[i] == after[i]}

    def _table(self, name):
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            seed = int(file.readline().split()[1], 16)
            pairs = [line.split() for line in file]
        return seed, {int(i): int(pfn, 16) * PAGE for i, pfn in pairs}

    def odd(self, kind):
        """Pages of odd.c: {address: content}; none where it did not run."""
        if not os.path.exists(os.path.join(self.path, kind)):
            return {}
        seed, table = self._table(kind)
        pattern = Pattern(seed)
        return {table[i]: pattern.page(i) for i in table}

    def poisoned(self):
        """As unreadable ranges, with their reason."""
        return [(at, at + PAGE, POISONED) for at in sorted(
            self.odd("poisoned"))]

    def secret(self):
        """The same of what is in no map of the kernel."""
        return [(at, at + PAGE, FAULT) for at in sorted(self.odd("secret"))]

    def _open_ram(self):
        self.below_4g = int(self._text("below_4g"))
        self.ram_base = int(self._text("ram_base"))
        with open(os.path.join(self.path, "ram"), "rb") as file:
            self.ram = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def ram_page(self, address):
        """The hypervisor's view, as it was when the guest powered off.

        The file is the RAM without what is before it, and without the hole
        below 4 GiB. Nothing of what was plugged in is in it.
        """
        if address >= FOUR_GIB:
            address += self.below_4g - FOUR_GIB
        address -= self.ram_base
        return self.ram[address:address + PAGE]

    def blocks(self):
        """What an image may hold: 16 MiB from each range's start on."""
        return [(at, min(at + BLOCK, end)) for start, end in self.ranges
                for at in range(start, end, BLOCK)]

    def text_pages(self):
        return [at for start, end in self.text
                for at in range(start, end, PAGE)]

    def is_same(self, address):
        """What two views of the page there are compared by."""
        return operator.eq if address in self.planted else is_same_text
