# SPDX-License-Identifier: MIT
"""Makes /proc/kpageflags and /proc/meminfo."""

import array
import os
import sys

import ranges as rng

PAGE = 4096
WORD = 8

# Linux's include/uapi/linux/kernel-page-flags.h.
BITS = {"locked": 0, "referenced": 2, "uptodate": 3, "dirty": 4, "lru": 5,
        "slab": 7, "buddy": 10, "mmap": 11, "anon": 12, "huge": 17,
        "unevictable": 18, "hwpoison": 19, "nopage": 20, "ksm": 21,
        "thp": 22, "offline": 23, "zero-page": 24, "idle": 25,
        "pgtable": 26, "reserved": 32}
# Nothing is wrong with such pages; the bits on both sides of the bad ones.
ORDINARY = ((), ("uptodate", "lru"), ("buddy",), ("unevictable", "ksm"),
            ("thp", "zero-page"), ("slab",), ("locked", "idle", "pgtable"),
            ("mmap", "anon", "referenced", "dirty", "reserved"))
AROUND = 16  # pages next to RAM that are told to be none


def mask(names):
    return sum(1 << BITS[name] for name in names)


def page_flag(text):
    """Reads WHERE=NAME[+NAME...]: a page's address, or a range."""
    where, names = text.split("=", 1)
    if "-" in where or "+" in where:
        start, end = rng.pair(where)
    else:
        start = rng.number(where)
        end = start + 1
    return start // PAGE, (end + PAGE - 1) // PAGE, mask(names.split("+"))


def kpageflags(path, ram, flags, cut=None):
    """Words up to the end of RAM, or to `cut`; what is far from RAM is 0.

    They are in the kernel's own order of bytes: where another processor reads
    them, AVML_TEST_BYTE_ORDER (little, big) tells its.
    """
    order = os.environ.get("AVML_TEST_BYTE_ORDER", sys.byteorder)
    swap = order != sys.byteorder
    words = [mask(names) for names in ORDINARY]
    frames = ram[-1][1] // PAGE
    with open(path, "wb") as out:
        def put(first, values):
            out.seek(first * WORD)
            words = array.array("Q", values)
            if swap:
                words.byteswap()
            words.tofile(out)

        for start, end in ram:
            first, last = start // PAGE, end // PAGE
            low = max(first - AROUND, 0)
            put(low, [mask(["nopage"])] * (first - low))
            if last != frames:
                put(last, [mask(["nopage"])] * AROUND)
        for start, end in ram:
            count = end // PAGE - start // PAGE
            put(start // PAGE, (words * (count // len(words) + 1))[:count])
        for first, last, word in flags:
            # A bad page has its ordinary flags too.
            put(first, [word | words[i % len(words)]
                        for i in range(last - first)])
        out.truncate((frames if cut is None else cut // PAGE) * WORD)


def meminfo(path, ram, more):
    """A few of its lines; `more` are KEY=VALUE, in kB but for HugePages_."""
    total = sum(end - start for start, end in ram) // 1024
    values = {"MemTotal": total, "MemFree": total // 2,
              "MemAvailable": total // 2, "Cached": total // 8,
              "HardwareCorrupted": 0, "AnonHugePages": 0,
              "HugePages_Total": 0, "HugePages_Free": 0,
              "Hugepagesize": 2048}
    for pair in more:
        key, value = pair.split("=", 1)
        if value == "none":
            values.pop(key, None)
        else:
            values[key] = int(value)
    with open(path, "w", encoding="ascii") as out:
        for key, value in values.items():
            unit = "" if key.startswith("HugePages_") else " kB"
            out.write("%-16s%8d%s\n" % (key + ":", value, unit))


def mark(path, name, ram):
    """Writes the source's name into each page of RAM."""
    stamp = b"<%-14s>" % name.encode("ascii")
    out = os.open(path, os.O_WRONLY)
    for start, end in ram:
        for at in range(start, end, PAGE):
            os.pwrite(out, stamp, at + 16)
    os.close(out)


def copy_sparse(source, target, end):
    """A copy in which the holes are holes, up to `end`."""
    with open(source, "rb") as file, open(target, "wb") as out:
        at = 0
        size = min(end, os.fstat(file.fileno()).st_size)
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                stop = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), size)
            except OSError:
                break
            while at < stop:
                count = os.copy_file_range(
                    file.fileno(), out.fileno(), stop - at, at, at)
                if not count:
                    break
                at += count
        out.truncate(size)
