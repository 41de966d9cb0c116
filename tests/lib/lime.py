#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads, checks, compares and writes LiME v1 and AVML v2 memory images.

  lime.py table IMAGE                   one line a record
  lime.py check IMAGE                   every rule a producer must keep
  lime.py raw IMAGE OUT                 to raw, gaps as holes
  lime.py cmp IMAGE MEMORY IOMEM        is this the image of that memory?
  lime.py ranges IOMEM                  the ranges an acquisition reads
  lime.py write OUT [RECORD...]         makes images, good ones and odd ones
  lime.py patch IMAGE OUT CHANGE...     a copy with damage
  lime.py lost IMAGE ORIGINAL           which of that memory it lacks
  lime.py batch                         commands from stdin, a line each

The C code is judged by this file, so the two share nothing.  Each command
has --help.
"""

import argparse
import os
import shlex
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import damage  # noqa: E402
import ranges as rng  # noqa: E402
from image import ImageError, MappedFile, Memory, is_zero  # noqa: E402
from image import records  # noqa: E402
from judge import check, compare  # noqa: E402
from oddity import filled, make_record  # noqa: E402
from snappy import SnappyError  # noqa: E402


def do_write(args):
    memory = Memory(args.memory) if args.memory else None
    with open(args.out, "wb") as out:
        if args.iomem:
            for start, end in rng.to_read(args.iomem, args.page_size):
                if args.lose_last:
                    end -= 1
                size = rng.number(args.block) or end - start
                for low, high in rng.blocks(start, end, size):
                    if args.keep_zeros or not memory.zero(low, high):
                        out.write(make_record(low, memory.read(low, high),
                                              args.format, how=args.how))
                    elif args.headers_for_zeros:
                        out.write(make_record(low, bytes(high - low),
                                              args.format, data="none"))
        for spec in args.record:
            if spec.startswith("hex:"):
                out.write(bytes.fromhex(spec[4:]))
                continue
            where, *rest = spec.split(":", 1)
            start, end = rng.pair(where)
            options = dict(o.split("=", 1) for o in rest[0].split(",")) \
                if rest else {}
            data = filled(options.pop("fill", "mem" if memory else "text"),
                           start, end, memory)
            out.write(make_record(start, data,
                                  options.pop("kind", args.format),
                                  **{"how": args.how, **options}))


def do_table(args):
    for index, record in enumerate(records(MappedFile(args.image))):
        print(index, "%#x" % record.offset, record.kind,
              "%#x-%#x" % (record.start, record.end), record.length,
              record.stored, *record.faults)


def do_check(args):
    faults = check(MappedFile(args.image), args.page_size, args.keep_zeros,
                   args.allow_long)
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


def do_raw(args):
    with open(args.out, "wb") as out:
        end = 0
        for record in records(MappedFile(args.image)):
            out.seek(record.start)
            for piece in record.pieces():
                if is_zero(piece):
                    out.seek(len(piece), os.SEEK_CUR)
                else:
                    out.write(piece)
            end = max(end, record.end)
        out.truncate(end)


def do_ranges(args):
    for start, end in rng.to_read(args.iomem, args.page_size):
        print("%#x-%#x" % (start, end))


def do_cmp(args):
    parts = []
    for word in args.part:
        path, where = word.rsplit(":", 1)
        parts.append((Memory(path), *rng.pair(where)))
    memory = Memory(args.memory, [rng.pair(r) for r in args.unreadable],
                    parts)
    wanted = rng.to_read(args.iomem, args.page_size)
    wanted = rng.subtract(wanted, [rng.pair(r) for r in args.left_out])
    count = compare(MappedFile(args.image), memory, wanted, args.keep_zeros,
                    args.prefix)
    if args.prefix:
        print(count)


def do_patch(args):
    damage.patch(args.image, args.out, args.change)


def do_lost(args):
    missing = damage.lost(args.image, args.original, args.raw, args.zeros)
    text = ",".join("%#x-%#x" % pair for pair in missing)
    if args.expect is None:
        print(text)
    elif args.expect[:1] == "<":
        more = rng.subtract(missing, [rng.pair(pair) for pair
                                      in args.expect[1:].split(",")])
        if more or not missing:
            print("%s lacks %s, not a part of %s" % (
                os.path.basename(args.image), text or "nothing",
                args.expect[1:]))
            return 1
    elif text != args.expect:
        print("%s lacks %s, expected %s" % (os.path.basename(args.image),
                                            text or "nothing",
                                            args.expect or "nothing"))
        return 1
    return 0


def do_batch(args):
    failed = 0
    for line in sys.stdin:
        if line.strip() and run(shlex.split(line)):
            print("in: " + line, end="")
            failed = 1
    return failed


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sub = parser.add_subparsers(dest="command", required=True)

    def command(name, run, *names):
        one = sub.add_parser(name,
                             formatter_class=argparse.RawTextHelpFormatter)
        one.set_defaults(run=run)
        for positional in names:
            one.add_argument(positional)
        one.add_argument("--page-size", type=rng.number, default=rng.PAGE)
        return one

    command("table", do_table, "image")
    one = command("check", do_check, "image")
    one.add_argument("--keep-zeros", action="store_true")
    one.add_argument("--allow-long", action="store_true",
                     help="v2 streams longer than their data are no fault")
    command("raw", do_raw, "image", "out")
    command("ranges", do_ranges, "iomem")
    one = command("cmp", do_cmp, "image", "memory", "iomem")
    one.add_argument("--keep-zeros", action="store_true")
    one.add_argument("--prefix", action="store_true",
                     help="the image may end early, between two records;\n"
                          "prints how many it has")
    one.add_argument("--unreadable", action="append", default=[],
                     metavar="START-END", help="zeros stand there instead")
    one.add_argument("--part", action="append", default=[],
                     metavar="MEMORY:START-END",
                     help="there it is of that memory instead")
    one.add_argument("--left-out", action="append", default=[],
                     metavar="START-END", help="the image does not hold it")
    one = command("patch", do_patch, "image", "out")
    one.add_argument("change", nargs="*", help="PLACE=HEX PLACE^HEX PLACE-N "
                     "PLACE<HEX PLACE!, PLACE an offset\nor RECORD.head+N, "
                     "RECORD.trailer+N, RECORD.CHUNK.head|body+N")
    one = command("lost", do_lost, "image", "original")
    one.add_argument("--raw", action="store_true", help="IMAGE is raw")
    one.add_argument("--zeros", action="store_true",
                     help="zeros may be missing")
    one.add_argument("--expect", metavar="[<]START-END,...",
                     help="missing must be this, or with < in this")
    command("batch", do_batch)
    one = command("write", do_write, "out")
    one.add_argument(
        "record", nargs="*", help="""\
START-END[:KEY=VALUE,...] or START+LEN[:...], END exclusive, or hex:BYTES.
 kind=v1|v2     fill=mem|zero|random|text|BYTE
 data=none      a header alone
 last=N reserved=N magic=N version=N   wrong header fields
 cut=N          without the last N bytes
v2 alone:
 how=copy|literal|stored   chunk=N   badcrc=INDEX
 ident=N ident-every=N     repeated identifiers
 pad=N padend=N padtype=N  skippable chunks before each, at the end
 trailer=good|raw|none|N""")
    one.add_argument("--format", choices=("v1", "v2"), default="v1")
    one.add_argument("--how", default="copy")
    one.add_argument("--memory")
    one.add_argument("--iomem", help="first, the records of a whole image")
    one.add_argument("--block", default="16M", help="0 = whole ranges")
    one.add_argument("--lose-last", action="store_true",
                     help="every range without its last byte")
    one.add_argument("--keep-zeros", action="store_true")
    one.add_argument("--headers-for-zeros", action="store_true",
                     help="zero blocks as headers without data")
    return parser


def run(argv):
    # argparse takes no positionals behind options when some stood in front.
    parser = _parser()
    args, more = parser.parse_known_args(argv)
    if more and (args.command != "write" or
                 any(word.startswith("-") for word in more)):
        parser.error("unknown: " + " ".join(more))
    if args.command == "write":
        args.record += more
    try:
        return args.run(args)
    except (ImageError, SnappyError, rng.IomemError) as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
