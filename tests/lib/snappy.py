# SPDX-License-Identifier: MIT
"""Snappy's framing format in plain Python: CRC-32C, blocks, chunks.

Made for tests: it takes everything the format allows and can write what no
good writer would.
"""

import functools
import struct

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"
CHUNK = 65536  # most uncompressed bytes a data chunk may stand for

_POLY = 0x82F63B78


class SnappyError(Exception):
    pass


# ---- CRC-32C -------------------------------------------------------------

def _table():
    out = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLY if value & 1 else 0)
        out.append(value)
    return out


_TABLE = _table()
# The same table cut into its four bytes, as bytes.translate() wants them.
_SLICES = [bytes(v >> 8 * k & 0xFF for v in _TABLE) for k in range(4)]
_LANE = 256


@functools.lru_cache(maxsize=None)
def _shift_tables():
    """Tables that move a CRC register on by _LANE zero bytes.

    The register is linear, so it is enough to know where each byte value at
    each of the four places ends up.
    """
    out = []
    for place in range(4):
        row = []
        for value in range(256):
            crc = value << 8 * place
            for _ in range(_LANE):
                crc = crc >> 8 ^ _TABLE[crc & 0xFF]
            row.append(crc)
        out.append(row)
    return out


def _lanes(data, count):
    """CRC registers, begun at 0, of count lanes of _LANE bytes each.

    All lanes move on together, one byte each a step: table look-ups are
    bytes.translate(), exclusive ors are those of long integers.  That is ten
    times as fast as a loop over bytes.
    """
    conv = int.from_bytes
    regs = [bytes(count)] * 4
    for i in range(_LANE):
        step = conv(data[i::_LANE], "little") ^ conv(regs[0], "little")
        index = step.to_bytes(count, "little")
        regs = [
            (conv(regs[k + 1], "little")
             ^ conv(index.translate(_SLICES[k]), "little"))
            .to_bytes(count, "little")
            for k in range(3)
        ] + [index.translate(_SLICES[3])]
    return regs


def crc32c(data):
    data = bytes(data)
    crc = 0xFFFFFFFF
    count = len(data) // _LANE
    done = 0
    if count >= 16:
        done = count * _LANE
        r0, r1, r2, r3 = _lanes(data[:done], count)
        s0, s1, s2, s3 = _shift_tables()
        for a, b, c, d in zip(r0, r1, r2, r3):
            crc = (s0[crc & 0xFF] ^ s1[crc >> 8 & 0xFF]
                   ^ s2[crc >> 16 & 0xFF] ^ s3[crc >> 24]
                   ^ (a | b << 8 | c << 16 | d << 24))
    for byte in data[done:]:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.lru_cache(maxsize=64)
def _masked_crc(data):
    # Memory is full of the same few chunks (zeros above all).
    return masked(crc32c(data))


# ---- Blocks --------------------------------------------------------------

def _varint(data, pos):
    value = shift = 0
    while True:
        if pos >= len(data) or shift > 28:
            raise SnappyError("bad length in front of a block")
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7


@functools.lru_cache(maxsize=64)
def decompress_block(data):
    """One raw snappy block (bytes) to what it stands for."""
    length, pos = _varint(data, 0)
    if length > CHUNK:
        raise SnappyError("block of %d bytes" % length)
    out = bytearray()
    size = len(data)
    while pos < size:
        tag = data[pos]
        kind = tag & 3
        pos += 1
        if kind == 0:
            count = tag >> 2
            if count >= 60:
                extra = count - 59
                count = int.from_bytes(data[pos:pos + extra], "little")
                pos += extra
            count += 1
            if pos + count > size:
                raise SnappyError("literal runs past the block")
            out += data[pos:pos + count]
            pos += count
            continue
        if kind == 1:
            count = (tag >> 2 & 7) + 4
            if pos + 1 > size:
                raise SnappyError("copy runs past the block")
            offset = (tag >> 5) << 8 | data[pos]
            pos += 1
        else:
            width = 2 if kind == 2 else 4
            count = (tag >> 2) + 1
            if pos + width > size:
                raise SnappyError("copy runs past the block")
            offset = int.from_bytes(data[pos:pos + width], "little")
            pos += width
        if offset == 0 or offset > len(out):
            raise SnappyError("copy from before the block's start")
        start = len(out) - offset
        if offset >= count:
            out += out[start:start + count]
        else:
            # The copy reads what it has just written: a repeated pattern.
            out += (out[start:] * (count // offset + 1))[:count]
        if len(out) > length:
            break
    if len(out) != length:
        raise SnappyError("block gives %d bytes, says %d" % (len(out), length))
    return bytes(out)


def _put_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _put_literal(out, data):
    count = len(data) - 1
    if count < 0:
        return
    if count < 60:
        out.append(count << 2)
    else:
        extra = (count.bit_length() + 7) // 8
        out.append((59 + extra) << 2)
        out += count.to_bytes(extra, "little")
    out += data


def _put_copy(out, offset, count):
    # Pieces of at most 64 bytes, and no rest shorter than 4.
    while count > 0:
        part = count if count <= 64 else 60 if count < 68 else 64
        if 4 <= part <= 11 and offset < 2048:
            out.append((offset >> 8) << 5 | (part - 4) << 2 | 1)
            out.append(offset & 0xFF)
        else:
            out.append((part - 1) << 2 | 2)
            out += struct.pack("<H", offset)
        count -= part


def compress_block(data, literal=False):
    """A raw snappy block: real copies, or one literal."""
    data = bytes(data)
    out = bytearray(_put_varint(len(data)))
    if literal:
        _put_literal(out, data)
        return bytes(out)
    seen = {}
    pos = begin = 0
    size = len(data)
    misses = 32
    while pos + 4 <= size:
        key = data[pos:pos + 4]
        before = seen.get(key)
        seen[key] = pos
        if before is None or pos - before > 0xFFFF:
            # Step wider the longer nothing was found.
            pos += misses >> 5
            misses += 1
            continue
        misses = 32
        offset = pos - before
        count = 4
        # Double the stride while whole stretches agree, then finish bytewise.
        while pos + count + 64 <= size and \
                data[before + count:before + count + 64] == \
                data[pos + count:pos + count + 64]:
            count += 64
        while pos + count < size and data[before + count] == data[pos + count]:
            count += 1
        _put_literal(out, data[begin:pos])
        _put_copy(out, offset, count)
        pos += count
        begin = pos
    _put_literal(out, data[begin:])
    return bytes(out)


# ---- Chunks --------------------------------------------------------------

def chunk(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "little") + body


def data_chunk(data, how="copy", bad_crc=False):
    """A data chunk; how is copy, literal (both type 0) or stored (type 1)."""
    data = bytes(data)
    crc = _masked_crc(data) ^ (1 if bad_crc else 0)
    head = struct.pack("<I", crc)
    if how == "stored":
        return chunk(1, head + data)
    packed = compress_block(data, how == "literal")
    if how == "copy" and len(packed) >= len(data) - len(data) // 8:
        return chunk(1, head + data)
    return chunk(0, head + packed)


def chunks(buf, pos, end):
    """Walks chunk headers: (type, body offset, body length) until end."""
    while pos < end:
        if pos + 4 > end:
            raise SnappyError("chunk header cut off at offset %d" % pos)
        size = int.from_bytes(buf[pos + 1:pos + 4], "little")
        if pos + 4 + size > end:
            raise SnappyError("chunk at offset %d runs past the end" % pos)
        yield buf[pos], pos + 4, size
        pos += 4 + size


def decode_chunk(buf, kind, pos, size):
    """The bytes of a data chunk, its CRC checked."""
    if size < 4:
        raise SnappyError("data chunk without a CRC at offset %d" % (pos - 4))
    body = bytes(buf[pos + 4:pos + size])
    try:
        data = decompress_block(body) if kind == 0 else body
    except SnappyError as error:
        raise SnappyError("%s, chunk at offset %d" % (error, pos - 4))
    if len(data) > CHUNK:
        raise SnappyError("chunk of %d bytes at offset %d"
                          % (len(data), pos - 4))
    if _masked_crc(data) != int.from_bytes(buf[pos:pos + 4], "little"):
        raise SnappyError("CRC does not match at offset %d" % (pos - 4))
    return data


def self_test():
    """The vectors every implementation must give."""
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(0xE3069283) == 0xC78AB0E5
    assert crc32c(bytes(65536)) == 0x72C0C4A4
    assert masked(0x72C0C4A4) == 0x2BCBD059
    assert crc32c(bytes(4096)) == 0x98F94189
    assert masked(0x98F94189) == 0x25961CCA
    # The vector path against the plain one, at an odd length.
    data = bytes(i * 7 & 0xFF for i in range(9999))
    plain = 0xFFFFFFFF
    for byte in data:
        plain = plain >> 8 ^ _TABLE[(plain ^ byte) & 0xFF]
    assert crc32c(data) == plain ^ 0xFFFFFFFF
    for sample in (b"", b"a", b"abcd" * 20000, data, bytes(CHUNK),
                   bytes(range(256)) * 9, b"x" * 67, b"x" * 70):
        sample = sample[:CHUNK]
        for literal in (False, True):
            packed = compress_block(sample, literal)
            assert decompress_block(packed) == sample
    assert len(compress_block(bytes(CHUNK))) < 4000
