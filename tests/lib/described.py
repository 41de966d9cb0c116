#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether what `avml info` says of an image is so.

  described.py json IMAGE JSON           every member, the map's cells too
  described.py text IMAGE TEXT           every line
  described.py map IMAGE TEXT COLUMNS    every character of a drawn map
  described.py batch                     such lines from stdin

Computed anew from the image, by the readers of the tests.  Prints what is
wrong, status 1.
"""

import functools
import json
import os
import re
import shlex
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import snappy  # noqa: E402
from image import MappedFile, is_zero, records  # noqa: E402

PAGE = 4096
BLOCK = 16 << 20
PART = 256 << 10
PART_BYTES = 320 << 10
CELLS = 16384
LINES = 48
V3, V2, LEECH = "Volatility 3", "Volatility 2", "LeechCore, MemProcFS"


class Wrong(Exception):
    pass


def runs(found):
    """[start, end, records] of what follows without a gap."""
    out = []
    for record in found:
        if out and out[-1][1] == record.start:
            out[-1][1] = record.end
            out[-1][2] += 1
        else:
            out.append([record.start, record.end, 1])
    return out


def stored(record):
    """Bytes of data: the chunks that hold some, or all of version 1."""
    if record.kind == "v1":
        return record.length
    return sum(4 + size for kind, _, size in record.chunks if kind <= 1)


def troubles(found):
    """What readers cannot take: {(reader, word): [offset of each]}."""
    out = {}
    first = found[0].kind
    compressed = first == "v2"

    def add(reader, word, record):
        out.setdefault((reader, word), []).append(record.offset)

    end = 0
    for record in found:
        if record.start < end:
            add(V3, "overlaps", record)
            add(LEECH, "overlaps", record)
        end = record.end
        if record.kind != first:
            for reader in V3, V2, LEECH:
                add(reader, "another format", record)
        if record.empty:
            add(V3, "no data", record)
        elif record.kind == "v2" and record.stored >= record.length:
            add(V3, "not shorter", record)
        if record.start % PAGE:
            add(LEECH, "begin at a page", record)
        if (record.end - 1) % PAGE not in (0, PAGE - 1):
            add(LEECH, "end with a page", record)
    if compressed:
        out = {key: value for key, value in out.items() if key[0] == V3}
        out[V2, "not read lime_compressed"] = []
        out[LEECH, "not read lime_compressed"] = []
    return out


def parts(image, record):
    """(start, memory, zeros, stored, bad) of each piece that is counted."""
    if record.kind == "v1":
        for at in range(0, record.length, PART):
            size = min(PART, record.length - at)
            data = image[record.data + at:record.data + at + size]
            zeros = sum(min(PAGE, size - low)
                        for low in range(0, size, PAGE)
                        if is_zero(data[low:low + PAGE]))
            yield record.start + at, size, zeros, size, 0
        return
    if record.empty:
        yield record.start, record.length, record.length, 0, 0
        return
    at, memory, zeros, taken, bad = record.start, 0, 0, 0, 0
    for kind, where, size in record.chunks + [(0xFF, 0, 0)]:
        held = 0
        if kind <= 1:
            held = record._made(kind, where, size)
        if memory and (not held or memory + held > PART
                       or taken + 4 + size > PART_BYTES):
            yield at, memory, zeros, taken, bad
            at, memory, zeros, taken, bad = at + memory, 0, 0, 0, 0
        if not held:
            continue
        memory += held
        taken += 4 + size
        try:
            data = snappy.decode_chunk(image, kind, where, size)
            zeros += held if is_zero(data) else 0
        except snappy.SnappyError:
            bad += held


@functools.lru_cache(maxsize=None)
def cells(path):
    """The size of a cell, and {number: [memory, zeros, stored, bad]}."""
    image, found, _ = wanted(path)
    pieces = [piece for record in found for piece in parts(image, record)]
    shift = 18
    while len({number for start, memory, *_ in pieces for number in
               range(start >> shift, (start + memory - 1 >> shift) + 1)}) \
            > CELLS:
        shift += 1
    out = {}
    for start, memory, *counts in pieces:
        done = 0
        while done < memory:
            number = start + done >> shift
            to = min(memory, (number + 1 << shift) - start)
            cell = out.setdefault(number, [0, 0, 0, 0])
            for i, count in enumerate([memory] + counts):
                cell[i] += count * to // memory - count * done // memory
            done = to
    return 1 << shift, out


@functools.lru_cache(maxsize=None)
def wanted(path):
    """Image, records, and the members of the JSON, but for the lists."""
    image = MappedFile(path)
    found = list(records(image))
    ranges = runs(found)
    holes, blocks = [], 0
    for (start, end, _), (after, _, _) in zip(ranges, ranges[1:]):
        if after < end:
            continue
        if (after - end) % BLOCK or (end - start) % BLOCK:
            holes.append(after - end)
        else:
            blocks += (after - end) // BLOCK
    memory = sum(record.length for record in found)
    return image, found, {
        "format": {"v1": "lime", "v2": "lime_compressed"}[found[0].kind],
        "image_bytes": len(image),
        "records": len(found),
        "shortest_record": min(record.length for record in found),
        "longest_record": max(record.length for record in found),
        "memory_bytes": memory,
        "stored_bytes": sum(stored(record) for record in found),
        "ratio": len(image) / memory,
        "start": min(record.start for record in found),
        "end": max(record.end for record in found),
        "ranges": len(ranges),
        "holes": len(holes),
        "hole_bytes": sum(holes),
        "left_out_blocks": blocks,
    }


def same(what, got, want):
    if got != want:
        raise Wrong("%s: %r, not %r" % (what, got, want))


def judge_json(path, text):
    _, found, want = wanted(path)
    said = json.load(open(text, encoding="utf-8"))
    size, pieces = cells(path)
    for key, value in want.items():
        same(key, said.pop(key), value)
    ranges = [dict(zip(("start", "end", "records"), one))
              for one in runs(found)]
    same("range_list", said.pop("range_list"), ranges)
    expected = troubles(found)
    for one in said.pop("readers"):
        keys = [key for key in expected
                if key[0] == one["reader"] and key[1] in one["message"]]
        if len(keys) != 1:
            raise Wrong("not so: %s" % one)
        offsets = expected.pop(keys[0])
        same(keys[0], one["records"], len(offsets))
        same(keys[0], one.get("first_offset"), offsets[0] if offsets
             else None)
    if expected:
        raise Wrong("not said: %s" % expected)
    mapped = "map" in said
    if mapped:
        same("zeros", said.pop("zero_bytes"),
             sum(cell[1] for cell in pieces.values()))
        drawn = said.pop("map")
        same("cell_bytes", drawn["cell_bytes"], size)
        names = ("start", "memory_bytes", "zero_bytes", "stored_bytes",
                 "damaged_bytes")
        same("cells", drawn["cells"],
             [dict(zip(names, (number * size, *cell)))
              for number, cell in sorted(pieces.items())])
    damaged = any(cell[3] for cell in pieces.values())
    same("damage", said.pop("damage")["places"] > 0,
         damaged and mapped)
    said.pop("image")
    # Only a file has it; what it is depends on the file system.
    same("allocated", said.pop("allocated_bytes", 0) % 512, 0)
    same("more members", said, {})


def judge_text(path, text):
    _, found, want = wanted(path)
    said, ranges = {}, []
    for line in open(text, encoding="utf-8").read().split("\n\n")[0] \
            .splitlines():
        key = line[:14].strip() or "readers"
        said.setdefault(key, []).append(line[14:])
    for line in re.findall(r"^0x[0-9a-f]{16}  0x.*$",
                           open(text, encoding="utf-8").read(), re.M):
        start, end, size, count = line.split()
        ranges.append([int(start, 0), int(end, 0), int(count)])
        same(line, int(size), ranges[-1][1] - ranges[-1][0])
    same("ranges", ranges, runs(found))
    same("format", said["format"], [want["format"]])
    for key, pattern in (
            ("size", "%(image_bytes)d bytes ("),
            ("memory", "%(memory_bytes)d bytes ("),
            ("records", "%(records)d, of %(shortest_record)d to "
             "%(longest_record)d bytes"),
            ("ratio", "%(ratio).3f "),
            ("ranges", "%(ranges)d, from %(start)#x to %(end)#x"),
            ("holes", "%(holes)d, %(hole_bytes)d bytes"),
            ("left out", "%(left_out_blocks)d blocks")):
        if not said[key][0].startswith(pattern % want):
            raise Wrong("%s: %s, not %s" % (key, said[key][0],
                                            pattern % want))
    expected = troubles(found)
    for line in said["readers"]:
        keys = [key for key in expected if line.startswith(key[0] + ": ")
                and key[1] in line]
        if not expected and line.startswith("nothing "):
            continue
        if len(keys) != 1:
            raise Wrong("not so: " + line)
        offsets = expected.pop(keys[0])
        if offsets and not line.endswith(
                "(%d records, the first at offset %d)" % (len(offsets),
                                                          offsets[0])):
            raise Wrong("not of %s: %s" % (offsets, line))
    if expected:
        raise Wrong("not said: %s" % expected)


def look(cell, compressed):
    memory, zeros, taken, bad = cell
    data = memory - zeros
    if bad:
        return "!"
    if not memory:
        return "."
    if not data:
        return "0"
    if data * 8 <= memory:
        return "o"
    if not compressed or taken * 4 >= data * 3:
        return "#"
    return "+" if taken * 2 >= data else "=" if taken * 4 >= data else "-"


def judge_map(path, text, columns):
    _, _, want = wanted(path)
    size, pieces = cells(path)
    said = open(text, encoding="utf-8").read()
    plain = re.sub("\033\\[[0-9;]*m", "", said)
    drawn = re.split("\n\n", plain)[2].splitlines()
    # The last column is left free, and characters come by sixteen.
    width = max(16, min(256, columns - 20) // 16 * 16)
    starts = [number * size for number in pieces]
    scale = size
    while True:
        lines = sorted({start // scale // width for start in starts})
        gaps = sum(b > a + 1 for a, b in zip(lines, lines[1:]))
        if len(lines) + gaps <= LINES:
            break
        scale *= 2
    sums = {}
    for number, cell in pieces.items():
        total = sums.setdefault(number * size // scale, [0] * 4)
        for i, count in enumerate(cell):
            total[i] += count
    expected, last = [], None
    for line in lines:
        if last is not None and line > last + 1:
            expected.append("gap")
        last = line
        row = "".join(look(sums.get(number, [0] * 4),
                           want["format"] == "lime_compressed")
                      for number in range(line * width, (line + 1) * width))
        expected.append("0x%016x %s" % (line * width * scale, row))
    for line in drawn:
        if columns >= 50 and len(line) >= columns:
            raise Wrong("%d wide: %s" % (len(line), line))
    for got, one in zip(drawn, expected):
        if one == "gap" and re.fullmatch(r" {19}\(.* not in the image\)", got):
            continue
        same("map", got, one)
    same("line behind the map", drawn[len(expected)][:16],
         "one character is")
    legend = {line[2] for line in drawn[len(expected) + 1:]}
    used = set("".join(line[19:] for line in drawn[:len(expected)]
                       if line[0] == "0"))
    if used - legend:
        raise Wrong("not in the legend: %s" % (used - legend))


def judge(kind, path, text, columns=80):
    try:
        if kind == "json":
            judge_json(path, text)
        elif kind == "text":
            judge_text(path, text)
        else:
            judge_map(path, text, int(columns))
    except (Wrong, ValueError, KeyError, IndexError) as error:
        print("%s of %s: %r" % (kind, os.path.basename(path), error))
        return 1
    return 0


def main():
    if sys.argv[1:] == ["batch"]:
        return max([judge(*shlex.split(line)) for line in sys.stdin])
    return judge(*sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
