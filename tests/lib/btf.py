# SPDX-License-Identifier: MIT
"""Reads and makes BTF, the kernel's types (Documentation/bpf/btf.rst).

  types = read(data)
  types.struct("task_struct")     (size, {member: offset in bytes})
"""

import struct

MAGIC = 0xEB9F
INT, PTR, ARRAY, STRUCT, UNION, ENUM = range(1, 7)
FUNC_PROTO, VAR, DATASEC, DECL_TAG, ENUM64 = 13, 14, 15, 17, 19
KINDS = 20
# Bytes behind a type's three words: so many, and so many for each of vlen.
BEHIND = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12),
          ENUM: (0, 8), FUNC_PROTO: (0, 8), VAR: (4, 0), DATASEC: (0, 12),
          DECL_TAG: (4, 0), ENUM64: (0, 12)}


class BtfError(Exception):
    pass


class Types:
    """All types of a file; the number of one is its place in the list."""

    def __init__(self, data):
        if len(data) < 24:
            raise BtfError("shorter than a header")
        self.order = {b"\x9f\xeb": "<", b"\xeb\x9f": ">"}.get(bytes(data[:2]))
        if not self.order:
            raise BtfError("the magic is wrong")
        _, version, _, length, *places = struct.unpack_from(
            self.order + "HBBIIIII", data)
        if version != 1:
            raise BtfError("version %d" % version)
        types, strings = (data[length + at:length + at + size]
                          for at, size in (places[:2], places[2:]))
        if (len(types), len(strings)) != (places[1], places[3]):
            raise BtfError("a section reaches past the end")
        self.strings = bytes(strings)
        self.types = [None]
        self._read(types)

    def text(self, at):
        end = self.strings.find(b"\0", at)
        if at >= len(self.strings) or end < 0:
            raise BtfError("a name at %d is in no string" % at)
        return self.strings[at:end].decode("ascii", "replace")

    def _read(self, data):
        at = 0
        while at < len(data):
            name, info, size = struct.unpack_from(self.order + "III", data, at)
            kind, count = info >> 24 & 31, info & 0xFFFF
            if not 0 < kind < KINDS:
                raise BtfError("type %d is of kind %d"
                               % (len(self.types), kind))
            fixed, each = BEHIND.get(kind, (0, 0))
            behind = data[at + 12:at + 12 + fixed + each * count]
            if len(behind) != fixed + each * count:
                raise BtfError("type %d is cut short" % len(self.types))
            self.types.append((kind, self.text(name), info >> 31, size, count,
                               behind))
            at += 12 + len(behind)

    def _members(self, number):
        """(name, type, offset in bytes), those of nameless parts too."""
        _, _, flag, _, count, behind = self.types[number]
        for i in range(count):
            name, kind, bits = struct.unpack_from(self.order + "III", behind,
                                                  12 * i)
            # With the flag, the upper byte is the width of a bit field.
            offset = (bits & 0xFFFFFF if flag else bits) // 8
            if name:
                yield self.text(name), offset
            elif self.types[kind][0] in (STRUCT, UNION):
                for inner, more in self._members(kind):
                    yield inner, offset + more

    def struct(self, name):
        """Its size, and {member: offset}; BtfError when there is none."""
        for number, one in enumerate(self.types):
            if one and one[0] == STRUCT and one[1] == name and one[4]:
                return one[3], dict(self._members(number))
        raise BtfError("no struct %s" % name)


def read(data):
    return Types(data)


def build(structs):
    """BTF of {name: (size, {member: offset in bytes})}; all are int."""
    strings = bytearray(b"\0int\0")

    def name(text):
        strings.extend(text.encode("ascii") + b"\0")
        return len(strings) - len(text) - 1

    types = struct.pack("=IIII", 1, INT << 24, 4, 1 << 24 | 32)
    for one, (size, members) in structs.items():
        types += struct.pack("=III", name(one), STRUCT << 24 | len(members),
                             size)
        for member, offset in members.items():
            types += struct.pack("=III", name(member), 1, offset * 8)
    return struct.pack("=HBBIIIII", MAGIC, 1, 0, 24, 0, len(types),
                       len(types), len(strings)) + types + bytes(strings)
