#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges what `strace -f -y -s 0` has seen of a run.

  trace.py TRACE pages PATH [N]         each read of it is one page, aligned;
                                        the first N bytes may be looked at
  trace.py TRACE avoids PATH RANGE...   none touches these offsets
  trace.py TRACE covers PATH RANGE...   all of these offsets were asked for
  trace.py TRACE unread PATH            nothing of it is read
  trace.py TRACE closed PREFIX...       nothing of that name is opened
  trace.py TRACE wrote PATH MOST        at most so many bytes of it are written

RANGE is START-END (exclusive) or START+LENGTH.  What is found goes to stdout,
with status 1.  A file that is read in another way than by address is a fault:
nobody could tell what was touched.
"""

import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 1)[0])

import ranges as rng  # noqa: E402

PAGE = 4096
_UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
_FILE = re.compile(
    r"^\d+<(.*?)(?:<(?:char|block) [^>]*>)?>(?:\(deleted\))?, (.*)$")
_READ = re.compile(r'^(?:""\.\.\.|"[^"]*"|0x[0-9a-f]+|NULL), *(\d+), (\d+)\) ')


class Odd(Exception):
    pass


def calls(path):
    """(name, arguments and result) of each call, begun ones put together."""
    begun = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            match = _UNFINISHED.match(line)
            if match:
                begun[match.group(1)] = line[:match.end(2)]
                continue
            match = _RESUMED.match(line)
            if match:
                line = begun.pop(match.group(1), "") + match.group(2)
            match = _CALL.match(line)
            if match:
                yield match.group(2), match.group(3)
    for line in begun.values():
        match = _CALL.match(line)
        if match:
            yield match.group(2), match.group(3)


def reads(trace, path):
    """(offset, length) of what was asked of the file at path."""
    for name, rest in calls(trace):
        match = _FILE.match(rest)
        if not match or match.group(1) != path:
            continue
        if name in ("read", "readv", "preadv", "preadv2", "mmap", "sendfile",
                    "copy_file_range", "splice"):
            raise Odd("read by %s: %s" % (name, rest))
        if name != "pread64":
            continue
        found = _READ.match(match.group(2))
        if not found:
            raise Odd("not understood: %s(%s" % (name, rest))
        yield int(found.group(2)), int(found.group(1))


def pages(trace, path, magic="0"):
    count = 0
    for offset, length in reads(trace, path):
        if offset == 0 and length <= int(magic):
            continue
        count += 1
        if offset % PAGE or length != PAGE:
            raise Odd("%d bytes at %#x" % (length, offset))
    if not count:
        raise Odd("%s was never read" % path)


def avoids(trace, path, *texts):
    bad = [rng.pair(text) for text in texts]
    count = 0
    for offset, length in reads(trace, path):
        count += 1
        for start, end in bad:
            if offset < end and offset + length > start:
                raise Odd("%d bytes at %#x touch %#x-%#x"
                          % (length, offset, start, end))
    if not count:
        raise Odd("%s was never read" % path)


def covers(trace, path, *texts):
    done = rng.merge((at, at + count) for at, count in reads(trace, path))
    missing = rng.subtract([rng.pair(text) for text in texts], done)
    if missing:
        raise Odd("%#x-%#x was not read" % missing[0])


def unread(trace, path):
    for offset, length in reads(trace, path):
        raise Odd("%d bytes at %#x" % (length, offset))


def closed(trace, *prefixes):
    count = 0
    for name, rest in calls(trace):
        if name not in ("open", "openat", "openat2", "creat"):
            continue
        count += 1
        match = re.search(r'"((?:[^"\\]|\\.)*)"', rest)
        if match and match.group(1).startswith(prefixes):
            raise Odd("%s(%s" % (name, rest))
    if not count:
        raise Odd("nothing was traced")


def wrote(trace, path, most):
    total = 0
    for name, rest in calls(trace):
        match = _FILE.match(rest)
        if not match or match.group(1) != path:
            continue
        if name == "fallocate":
            raise Odd("%s(%s" % (name, rest))
        result = re.search(r"\) += (\d+)$", rest)
        if name in ("write", "writev", "pwrite64", "pwritev") and result:
            total += int(result.group(1))
    if not 0 < total <= int(most):
        raise Odd("%d bytes of %s were written, at most %s expected"
                  % (total, path, most))


if __name__ == "__main__":
    try:
        {"pages": pages, "avoids": avoids, "covers": covers,
         "unread": unread, "closed": closed, "wrote": wrote}[sys.argv[2]](
             sys.argv[1], *sys.argv[3:])
    except Odd as odd:
        print(odd)
        sys.exit(1)
