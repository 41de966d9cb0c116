#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that check.py says `not ok` where it has to.

    selftest.py            on made-up results: no guest, a few seconds
    selftest.py RESULTS    on a copy of a real boot's (run.sh with KEEP=),
                           without those that compress an image anew

Every fault below is put into otherwise good results, one at a time, and the
check that is there for it must fail. Without a fault all checks must pass.
"""

import contextlib
import io
import os
import random
import shutil
import struct
import sys
import tempfile

import check
import acquired
from acquired import BLOCK, PAGE, Image
from guest import Guest, Pattern
# tests/lib, to which acquired has shown the way.
from image import HEADER, V1
from oddity import make_record

MAGIC, _ = V1
MIB = 1 << 20
SEED = 0x0123456789ABCDEF
BELOW_4G = 48 * MIB
RANGES = [(0x1000, 0x9F000), (0x100000, BELOW_4G),
          (1 << 32, (1 << 32) + 16 * MIB)]
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
00100000-02ffffff : System RAM
  00200000-0020ff00 : Kernel code
c0000000-febfffff : PCI Bus 0000:00
100000000-100ffffff : System RAM
"""
SAID = """\
note: trimmed 0x000000000009f000-0x000000000009fc00: not a whole page
note: range 0x0000000000001000-0x000000000009f000 647168 bytes
note: range 0x0000000000100000-0x0000000003000000 49283072 bytes
note: range 0x0000000100000000-0x0000000101000000 16777216 bytes
"""
LONG = ("warning: 1 records hold memory that does not compress at all, and "
        "Volatility 3 may hang on them: convert the image to lime for it "
        "(avml convert)\n")


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


# --- made-up results ---------------------------------------------------------

def kcore_head():
    """A head as real ones are: kernel text twice, vmalloc without address."""
    loads = [(s, e - s) for s, e in RANGES]
    loads += [(0x200000, 0x200000), ((1 << 64) - 1, 0x1000)]
    out = b"\x7fELF\x02\x01\x01" + bytes(9)
    out += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56,
                       len(loads), 0, 0, 0)
    for paddr, memsz in loads:
        out += struct.pack("<IIQQQQQQ", 1, 7, 0, 0, paddr, memsz, memsz, 4096)
    return out.ljust(16384, b"\0")


def ram_at(address):
    return address - (1 << 32) + BELOW_4G if address >> 32 else address


def make_ram(table):
    noise = random.Random(1)
    ram = bytearray(BELOW_4G + 16 * MIB)
    pattern = Pattern(SEED)
    # The first range does not compress, and nothing follows to join it with.
    start, end = RANGES[0]
    ram[start:end] = noise.randbytes(end - start)
    for at in [0x110000] + list(range(0x200000, 0x210000, PAGE)):
        ram[at:at + PAGE] = noise.randbytes(PAGE)
    for index, address in enumerate(table):
        at = ram_at(address)
        ram[at:at + PAGE] = pattern.page(index)
    return ram


def make_image(ram):
    """The records, block by block, those of zeros left out."""
    out = []
    for start, end in RANGES:
        for at in range(start, end, BLOCK):
            last = min(at + BLOCK, end)
            data = bytes(ram[ram_at(at):ram_at(at) + last - at])
            if data.count(0) != len(data):
                out.append([MAGIC, 1, at, last - 1, 0, data])
    return out


def write_image(path, records):
    put(path, b"".join(HEADER.pack(*record[:5]) + record[5]
                       for record in records))


def write_v2(path, records, **options):
    put(path, b"".join(make_record(record[2], record[5], "v2", **options)
                       for record in records))


def make_run(root, name, status, stderr):
    for key, text in [("cmd", name), ("status", str(status)), ("stdout", ""),
                      ("stderr", stderr), ("seconds", "1.00")]:
        put(os.path.join(root, name, key), text)


def make_results(root):
    table = list(range(0x2200000, 0x2220000, PAGE))
    table += list(range((1 << 32) + 0x3000, (1 << 32) + 0x23000, PAGE))
    lines = "".join("%d 0x%x\n" % (i, a // PAGE) for i, a in enumerate(table))
    ram = make_ram(table)
    records = make_image(ram)
    put(root + "/guest/iomem", IOMEM)
    put(root + "/guest/kcore.head", kcore_head())
    put(root + "/guest/before", "seed 0x%x\n%s" % (SEED, lines))
    put(root + "/guest/after", "seed 0x%x\n%s" % (SEED, lines))
    put(root + "/guest/below_4g", str(BELOW_4G))
    put(root + "/guest/ram", bytes(ram))
    put(root + "/guest/complete", "main")
    size = sum(32 + len(record[5]) for record in records)
    summary = ("avml: f: 3 ranges, %d bytes of RAM from /proc/kcore; %d "
               "records, %%d bytes written, %d bytes of zero blocks left out, "
               "0 bytes unreadable; 0.50 s, 120.0 MiB/s\n" % (
                   sum(e - s for s, e in RANGES), len(records), BLOCK))
    for name in ("plain", "threads1", "proc_threads2", "stream"):
        make_run(root, name, 0, SAID + summary % size)
        write_image("%s/%s/out.lime" % (root, name), records)
        os.chmod("%s/%s/out.lime" % (root, name), 0o600)
    for name in ("compressed", "compressed_stream"):
        path = "%s/%s/out.v2" % (root, name)
        write_v2(path, records)
        os.chmod(path, 0o600)
        make_run(root, name, 0, SAID + LONG + summary % os.path.getsize(path))
    for name in ("converted", "converted_by_name"):
        make_run(root, name, 0, "avml: f: %d bytes of memory from g; %d "
                 "records, %d bytes written, 0 bytes of zero blocks left out, "
                 "0 bytes lost in 0 places; 0.50 s, 120.0 MiB/s\n" % (
                     size - 32 * len(records), len(records), size))
        write_image("%s/%s/out.lime" % (root, name), records)
        os.chmod("%s/%s/out.lime" % (root, name), 0o600)
    make_run(root, "enospc", 1, SAID + "error: /small/out.lime is incomplete\n"
             "caused by:\n    0: No space left on device\n")
    write_image(root + "/enospc/out.lime", records[:2])
    make_run(root, "not_root", 1, "error: cannot open: run as root\n")
    make_run(root, "no_kcore", 1, "error: /tmp/kcore does not exist\n")
    make_run(root, "masked", 1, "error: /proc/kcore is masked\n")
    make_run(root, "lockdown", 1,
             "error: /proc/kcore: kernel lockdown is 'confidentiality'\n")
    put(root + "/lockdown/state", "none integrity [confidentiality]\n")


# --- faults ------------------------------------------------------------------
# Each is (what, case, words of the check that has to fail, function of the
# copy's directory and the guest's facts).

FAULTS = []


def fault(what, name, words):
    def register(function):
        FAULTS.append((what, name, words, function))
        return function
    return register


def read_records(path):
    image = Image(path)
    return [[MAGIC, 1, r.start, r.end - 1, 0, image.read(r.start, r.end)]
            for r in image.records]


def on_records(what, words, name="plain"):
    """The function gets the records of the image and changes the list."""
    def register(function):
        def change(root, guest):
            path = "%s/%s/out.lime" % (root, name)
            records = read_records(path)
            function(records, guest)
            os.unlink(path)
            write_image(path, records)
            os.chmod(path, 0o600)
        FAULTS.append((what, name, words, change))
        return function
    return register


def on_v2(what, words):
    """The function gets a compressed image's bytes, and changes them."""
    def register(function):
        def change(root, guest):
            path = root + "/compressed/out.v2"
            image = Image(path)
            data = bytearray(image.file[:])
            function(data, image, guest)
            os.unlink(path)
            put(path, data)
            os.chmod(path, 0o600)
        FAULTS.append((what, "compressed", words, change))
        return function
    return register


def piece_of(image, address):
    return next(p for p in image.pieces if p.start <= address < p.end)


def flip(records, address):
    for record in records:
        if record[2] <= address <= record[3]:
            data = bytearray(record[5])
            data[address - record[2]] ^= 1
            record[5] = bytes(data)


def holder(records, address):
    return next(i for i, r in enumerate(records) if r[2] <= address <= r[3])


@on_records("one bit of one planted page", "planted pages found")
def _(records, guest):
    flip(records, max(guest.planted) + 4095)


@on_records("one bit of kernel text", "kernel text pages equal")
def _(records, guest):
    flip(records, guest.text_pages()[-1])


@on_records("a record with planted pages dropped", "planted pages found")
def _(records, guest):
    del records[holder(records, min(guest.planted))]


@on_records("the same, as a block left out", "none with a page known")
def _(records, guest):
    del records[holder(records, min(guest.planted))]


@on_records("an address a page too high", "16 MiB blocks")
def _(records, _guest):
    records[-1][2] += PAGE
    records[-1][3] += PAGE


@on_records("an address a page too high, seen by its pages",
            "planted pages found")
def _(records, guest):
    record = records[holder(records, max(guest.planted))]
    record[2] += PAGE
    record[3] += PAGE


@on_records("right addresses, data a page off", "planted pages found")
def _(records, guest):
    record = records[holder(records, min(guest.planted))]
    record[5] = record[5][PAGE:] + record[5][:PAGE]


@on_records("two pages exchanged", "planted pages found")
def _(records, guest):
    one, two = sorted(guest.planted)[:2]
    first = records[holder(records, one)]
    second = records[holder(records, two)]
    for record, at, page in ((first, one, guest.planted[two]),
                             (second, two, guest.planted[one])):
        off = at - record[2]
        record[5] = record[5][:off] + page + record[5][off + PAGE:]


@on_records("two records exchanged", "well formed")
def _(records, _guest):
    records[1], records[2] = records[2], records[1]


@on_records("a record twice", "well formed")
def _(records, _guest):
    records.insert(1, records[1])


@on_records("a range without its last byte", "well formed")
def _(records, _guest):
    records[-1][3] -= 1
    records[-1][5] = records[-1][5][:-1]


@on_records("the end written as exclusive", "well formed")
def _(records, _guest):
    records[0][3] += 1


@on_records("reserved bytes set", "well formed")
def _(records, _guest):
    records[1][4] = 1


@on_records("another version", "well formed")
def _(records, _guest):
    records[1][1] = 2


@on_records("a header without data", "well formed")
def _(records, _guest):
    records[1][5] = b""


@on_records("bytes after the last record", "well formed")
def _(records, _guest):
    records[-1][5] += bytes(7)


@on_records("the last record cut off", "well formed")
def _(records, _guest):
    records[-1][5] = records[-1][5][:-PAGE]


@on_records("a record of 8 MiB", "16 MiB blocks")
def _(records, _guest):
    i = next(i for i, r in enumerate(records) if len(r[5]) == BLOCK)
    magic, version, start, last, reserved, data = records[i]
    half = BLOCK // 2
    records[i:i + 1] = [
        [magic, version, start, start + half - 1, reserved, data[:half]],
        [magic, version, start + half, last, reserved, data[half:]]]


@on_records("RAM that iomem does not know", "16 MiB blocks")
def _(records, _guest):
    start = records[-1][3] + 1
    records.append([MAGIC, 1, start, start + PAGE - 1, 0, b"x" * PAGE])


@on_records("a block of zeros written", "no record is all zero")
def _(records, guest):
    have = {record[2] for record in records}
    for start, end in guest.blocks():
        if start not in have:
            records.append([MAGIC, 1, start, end - 1, 0, bytes(end - start)])
            records.sort(key=lambda record: record[2])
            return
    records[1][5] = bytes(len(records[1][5]))


@on_records("numbers that are not the summary's", "summary's numbers")
def _(records, _guest):
    del records[0]


@on_records("an image of a full disk with wrong content", "never changed",
            "enospc")
def _(records, _guest):
    for record in records:
        record[5] = record[5][PAGE:] + record[5][:PAGE]


@on_records("an image of a full disk that ends within a record",
            "well formed", "enospc")
def _(records, _guest):
    records[-1][5] = records[-1][5][:-1]


@on_records("an image of a full disk without a record", "well formed",
            "enospc")
def _(records, _guest):
    records.clear()


# Compressed images.

@on_v2("a bit of a chunk with a planted page", "planted pages found")
def _(data, image, guest):
    piece = piece_of(image, max(guest.planted))
    data[piece.at + piece.size // 2] ^= 1


@on_v2("a bit of a compressed chunk", "whose CRC is right")
def _(data, image, _guest):
    piece = next(p for p in image.pieces if p.kind != acquired.STORED)
    body = data[piece.at + 4:piece.at + piece.size]
    good = acquired.decode_block(bytes(body))
    # Not every bit tells: zeros may be copied from here or from there.
    for at in range(len(body) // 2, len(body)):
        body[at] ^= 1
        try:
            if acquired.decode_block(bytes(body)) != good:
                break
        except acquired.snappy.SnappyError:
            break
        body[at] ^= 1
    data[piece.at + 4 + at] ^= 1


@on_v2("a bit of the last CRC", "whose CRC is right")
def _(data, image, _guest):
    data[image.pieces[-1].at + 3] ^= 0x80


@on_v2("a bit of a stored chunk", "whose CRC is right")
def _(data, image, _guest):
    piece = next(p for p in image.pieces if p.kind == acquired.STORED)
    data[piece.at + piece.size // 2] ^= 1


@on_v2("a bit of a CRC", "whose CRC is right")
def _(data, image, _guest):
    data[image.pieces[len(image.pieces) // 2].at] ^= 1


@on_v2("a wrong trailer", "trailers that are")
def _(data, image, _guest):
    data[image.records[0].next - 8] ^= 1


@on_v2("the last trailer cut off", "well formed")
def _(data, _image, _guest):
    del data[-8:]


@on_v2("padding behind the last chunk", "well formed")
def _(data, image, _guest):
    at = image.records[0].next - 8
    data[at:at] = b"\xfe\0\0\0"


@on_v2("another type of chunk", "well formed")
def _(data, image, _guest):
    data[image.pieces[1].at - 4] = 0x80


@on_v2("a record of v1 among those of v2", "well formed")
def _(data, image, guest):
    last = image.records[-1]
    data[last.offset:] = HEADER.pack(
        *V1, last.start, last.end - 1, 0) + image.read(last.start, last.end)


@on_v2("numbers that are not the summary's", "summary's numbers")
def _(data, image, _guest):
    del data[image.records[-1].offset:]


def rewritten(what, words, **options):
    """The records are written anew, after the function changed the list."""
    def register(function):
        def change(root, guest):
            path = root + "/compressed/out.v2"
            records = read_records(path)
            function(records, guest)
            os.unlink(path)
            write_v2(path, records, **options)
            os.chmod(path, 0o600)
        change.rewrites = True
        FAULTS.append((what, "compressed", words, change))
        return function
    return register


@rewritten("uncompressed lengths as trailers", "trailers that are",
           trailer="raw")
def _(_records, _guest):
    pass


@rewritten("a second stream that is too long, not told", "streams longer")
def _(records, _guest):
    record = records[-1]
    record[5] = random.Random(2).randbytes(len(record[5]))


@rewritten("chunks that are compressed for nothing", "well formed",
           how="literal")
def _(_records, _guest):
    pass


@rewritten("blocks joined without need", "records of more than a block")
def _(records, guest):
    have = {record[2]: record for record in records}
    blocks = guest.blocks()
    for (start, end), (after, last) in zip(blocks, blocks[1:]):
        record = have.get(start)
        # Random pages would make it long, and then there is a need.
        if end != after or not record or len(record[5]) != end - start \
                or record[5].count(0) < BLOCK // 2:
            continue
        record[3] = last - 1
        if after in have:
            record[5] += have[after][5]
            records.remove(have[after])
        else:
            record[5] += bytes(last - after)
        return
    raise ValueError("no two blocks to join")


@rewritten("a block in two records", "16 MiB blocks")
def _(records, _guest):
    i = next(i for i, r in enumerate(records) if len(r[5]) == BLOCK)
    magic, version, start, last, reserved, data = records[i]
    half = BLOCK // 2
    records[i:i + 1] = [
        [magic, version, start, start + half - 1, reserved, data[:half]],
        [magic, version, start + half, last, reserved, data[half:]]]


@rewritten("a record with planted pages dropped", "planted pages found")
def _(records, guest):
    del records[holder(records, min(guest.planted))]


@rewritten("one bit of kernel text", "kernel text pages equal")
def _(records, guest):
    flip(records, guest.text_pages()[-1])


@fault("a v1 image", "compressed", "well formed AVML v2")
def _(root, _guest):
    path = root + "/compressed/out.v2"
    records = read_records(path)
    os.unlink(path)
    write_image(path, records)


@fault("no image", "compressed", "there is an image")
def _(root, _guest):
    os.unlink(root + "/compressed/out.v2")


@fault("a long stream told that is not there", "compressed", "streams longer")
def _(root, _guest):
    path = root + "/compressed/stderr"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    os.unlink(path)
    said = sum(int(number) for number in check.LONG.findall(text))
    put(path, check.LONG.sub("", text)
        + LONG.replace("1 records", "%d records" % (said + 1)))


# Conversions.

@on_records("one byte", "byte for byte", "converted")
def _(records, _guest):
    flip(records, records[-1][3])


@on_records("the first byte", "byte for byte", "converted_by_name")
def _(records, _guest):
    flip(records, records[0][2])


@on_records("one byte of a planted page", "agree", "converted")
def _(records, guest):
    flip(records, min(guest.planted))


@on_records("a record in two", "record table", "converted")
def _(records, _guest):
    magic, version, start, last, reserved, data = records[1]
    records[1:2] = [
        [magic, version, start, start + PAGE - 1, reserved, data[:PAGE]],
        [magic, version, start + PAGE, last, reserved, data[PAGE:]]]


@on_records("a record too few", "record table", "converted")
def _(records, _guest):
    del records[-1]


@on_records("a record too many", "record table", "converted")
def _(records, _guest):
    start = records[-1][3] + 1
    records.append([MAGIC, 1, start, start + PAGE - 1, 0, b"x" * PAGE])


@on_records("a record too few, seen by its bytes", "byte for byte",
            "converted")
def _(records, _guest):
    del records[0]


@on_records("another record length", "summary's numbers", "converted")
def _(records, _guest):
    records[-1][3] -= PAGE
    records[-1][5] = records[-1][5][:-PAGE]


@fault("no image", "converted", "there is an image")
def _(root, _guest):
    os.unlink(root + "/converted/out.lime")


@fault("an image still compressed", "converted", "well formed LiME v1")
def _(root, _guest):
    os.unlink(root + "/converted/out.lime")
    shutil.copy2(root + "/compressed/out.v2", root + "/converted/out.lime")


@fault("a warning", "converted", "no warning")
def _(root, _guest):
    edit(root, "converted/stderr", "avml: ", "warning: lost 0x0\navml: ")


def edit(root, name, old, new):
    path = os.path.join(root, name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed = text.replace(old, new)
    if changed == text:
        raise ValueError("%s has no %r" % (path, old))
    # A new file: in a copy of real results this one is a link.
    os.unlink(path)
    put(path, changed)


for _case, _status in (("plain", "0"), ("compressed", "0"), ("converted", "0"),
                       ("enospc", "1"), ("not_root", "1"), ("lockdown", "1")):
    @fault("another exit status", _case, "exit status")
    def _(root, _guest, name=_case, status=_status):
        edit(root, name + "/status", status, "2")

for _case in ("enospc", "not_root", "no_kcore", "masked", "lockdown"):
    @fault("a message that says nothing", _case, "the error ")
    def _(root, _guest, name=_case):
        os.unlink(root + "/" + name + "/stderr")
        put(root + "/" + name + "/stderr", "error: it did not work\n")

for _case, _words in (("lockdown", "confidentiality"), ("lockdown", "error: "),
                      ("enospc", "/small/out.lime"),
                      ("enospc", "No space left")):
    @fault("no '%s' in the message" % _words, _case, "the error ")
    def _(root, _guest, name=_case, words=_words):
        edit(root, name + "/stderr", words, "-")

for _case in ("not_root", "no_kcore", "masked", "lockdown"):
    @fault("a file left behind", _case, "no file left")
    def _(root, _guest, name=_case):
        put("%s/%s/out.lime" % (root, name), b"")


@fault("no image", "plain", "there is an image")
def _(root, _guest):
    os.unlink(root + "/plain/out.lime")


@fault("no file after a full disk", "enospc", "a file is left")
def _(root, _guest):
    os.unlink(root + "/enospc/out.lime")


@fault("an image for everybody to read", "plain", "mode is 0600")
def _(root, _guest):
    os.chmod(root + "/plain/out.lime", 0o644)


@fault("the trimmed page not told", "plain", "what was trimmed")
def _(root, _guest):
    edit(root, "plain/stderr", "trimmed", "-")


@fault("a range not told", "plain", "the ranges read")
def _(root, _guest):
    edit(root, "plain/stderr", "-0x000000000009f000 ", "-0x9e000 ")


@fault("a warning", "plain", "no warning")
def _(root, _guest):
    edit(root, "plain/stderr", "avml: ", "warning: 4096 bytes\navml: ")


@fault("no summary", "plain", "a summary line")
def _(root, _guest):
    edit(root, "plain/stderr", "bytes written", "-")


@fault("something on stdout", "plain", "nothing on stdout")
def _(root, _guest):
    os.unlink(root + "/plain/stdout")
    put(root + "/plain/stdout", "x")


@fault("no lockdown in the guest", "lockdown", "is locked down")
def _(root, _guest):
    edit(root, "lockdown/state", "[confidentiality]", "confidentiality")


@fault("a case that did not run", "masked", "can be judged")
def _(root, _guest):
    os.unlink(root + "/masked/status")


@fault("a boot that ended early", "plain", "ran all its cases")
def _(root, _guest):
    os.unlink(root + "/guest/complete")


@fault("a planted page that moved", "plain", "moved no planted page")
def _(root, _guest):
    edit(root, "guest/after", "\n7 0x", "\n7 0x1")


@fault("planted pages on one side of 4 GiB alone", "plain",
       "pages planted below 4 GiB")
def _(root, guest):
    for name in ("before", "after"):
        path = root + "/guest/" + name
        with open(path, encoding="ascii") as file:
            lines = file.readlines()
        os.unlink(path)
        put(path, "".join(
            line for line in lines
            if line[0] == "s" or int(line.split()[1], 16) < 1 << 20))


# --- trying them -------------------------------------------------------------

def copy_results(source, target, name):
    """A copy in which what a fault changes is a file of its own."""
    for directory in os.listdir(source):
        if not os.path.isdir(os.path.join(source, directory)):
            continue
        os.mkdir(os.path.join(target, directory))
        for entry in os.listdir(os.path.join(source, directory)):
            old = os.path.join(source, directory, entry)
            new = os.path.join(target, directory, entry)
            if directory == name and entry.startswith("out."):
                shutil.copy2(old, new)
            else:
                os.symlink(os.path.abspath(old), new)


def judge(results, *cases):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = check.main(["check.py", results, *cases])
    bad = [line for line in out.getvalue().splitlines()
           if line.startswith("not ok")]
    return status, bad


def main(argv):
    tap = check.Tap()
    with tempfile.TemporaryDirectory() as temp:
        source = argv[1] if len(argv) > 1 else temp + "/good"
        if len(argv) < 2:
            make_results(source)
        status, bad = judge(source)
        tap.check(status == 0 and not bad, "good results pass", "; ".join(bad))
        guest = Guest(os.path.join(source, "guest"))
        for number, (what, name, words, change) in enumerate(FAULTS):
            # Python would compress a real guest's memory for hours.
            if len(argv) > 1 and getattr(change, "rewrites", False):
                continue
            copy = "%s/%d" % (temp, number)
            os.mkdir(copy)
            copy_results(source, copy, name)
            change(copy, guest)
            status, bad = judge(copy, name)
            tap.check(status == 1 and any(words in line for line in bad),
                      "%s: %s is noticed" % (name, what),
                      "no '%s' among: %s" % (words, bad))
            shutil.rmtree(copy)
    print("%d passed, %d failed" % (tap.passed, tap.failed))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
