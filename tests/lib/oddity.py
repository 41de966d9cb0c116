# SPDX-License-Identifier: MIT
"""Writes records, good ones and such as no good writer would make."""

import random
import struct

import snappy
from image import HEADER, V1, V2, ImageError


def stream(data, options):
    """A snappy stream, with whatever oddities are asked for."""
    size = int(options.get("chunk", snappy.CHUNK))
    how = options.get("how", "copy")
    bad = int(options.get("badcrc", -1))
    every = int(options.get("ident-every", 0))
    pad = options.get("pad")
    kind = int(options.get("padtype", "0xfe"), 0)
    out = [snappy.IDENTIFIER * int(options.get("ident", 1))]
    for index, at in enumerate(range(0, len(data), size)):
        if every and index and index % every == 0:
            out.append(snappy.IDENTIFIER)
        if pad is not None:
            out.append(snappy.chunk(kind, bytes(int(pad))))
        out.append(snappy.data_chunk(data[at:at + size], how, index == bad))
    if "padend" in options:
        out.append(snappy.chunk(kind, bytes(int(options["padend"]))))
    return b"".join(out)


def make_record(start, contents, kind="v1", **options):
    """The bytes of one record; options are those of lime.py write."""
    magic, version = V1 if kind == "v1" else V2
    magic = int(str(options.get("magic", magic)), 0)
    version = int(str(options.get("version", version)), 0)
    last = int(str(options.get("last", start + len(contents) - 1)), 0)
    out = HEADER.pack(magic, version, start, last,
                      int(str(options.get("reserved", 0)), 0))
    if options.get("data") == "none":
        return out
    if kind == "v1":
        out += bytes(contents)
    else:
        packed = stream(contents, options)
        trailer = options.get("trailer", "good")
        out += packed
        if trailer != "none":
            number = {"good": len(packed), "raw": len(contents)}.get(trailer)
            if number is None:
                number = int(trailer, 0)
            out += struct.pack("<Q", number)
    cut = int(str(options.get("cut", 0)), 0)
    return out[:len(out) - cut] if cut else out


def filled(spec, start, end, memory):
    if spec == "mem":
        if memory is None:
            raise ImageError("fill=mem needs --memory")
        return memory.read(start, end)
    if spec == "zero":
        return bytes(end - start)
    if spec == "random":
        # Incompressible and the same every time.
        return random.Random(start).randbytes(end - start)
    if spec == "text":
        line = b"%016x the quick brown fox jumps over the lazy dog\n"
        return b"".join(line % at for at in
                        range(start, end, len(line % 0)))[:end - start]
    return bytes([int(spec, 0)]) * (end - start)
