# SPDX-License-Identifier: MIT
"""Faults of compressed images, and of what is made of them."""

import os
import random
import shutil

import acquired
from acquired import BLOCK, PAGE
from faults import (edit, fault, flip, holder, on_records, on_v2, piece_of,
                    read_records, replace, rewritten)
from judging import LONG as LONG_SAID
from made_up import HEADER, LONG, MAGIC, V1, write_image

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
    said = sum(int(number) for number in LONG_SAID.findall(text))
    replace(root, "compressed/stderr", LONG_SAID.sub("", text)
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
