# SPDX-License-Identifier: MIT
"""Reads the report of an acquisition, and holds it against the image.

    report.py check REPORT [--image IMAGE] [--status N | --killed]
        [--is KEY=VALUE]... [--count TYPE=N]...

Each line has to be what the schema in contrib/ allows, by a validator that is
none of ours; the first is the header, the last the summary, unless the run was
killed.  With an image, the records told are the records there, in order, with
offsets and lengths, the digest is the file's, and what is told of sizes adds
up.  --is wants a member of the summary, --count so many lines of a kind (N+
for at least).  Prints nothing, or the first thing that is wrong.
"""

import argparse
import collections
import hashlib
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import image as images  # noqa: E402


class Wrong(Exception):
    pass


def need(good, fmt, *args):
    if not good:
        raise Wrong(fmt % args)


def validator():
    import jsonschema
    with open(os.path.join(TOP, "contrib", "avml-report.schema.json")) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read_lines(path, killed):
    """The objects; of a run that was killed, the last may be cut off."""
    with open(path, "rb") as file:
        text = file.read()
    lines = text.split(b"\n")
    need(lines.pop() == b"" or killed, "the last line has no end")
    check = validator()
    objects = []
    for number, line in enumerate(lines, 1):
        try:
            objects.append(json.loads(line))
        except ValueError as error:
            raise Wrong("line %d is no JSON: %s" % (number, error)) from error
        for error in check.iter_errors(objects[-1]):
            raise Wrong("line %d (%s): %s" % (
                number, line.decode()[:120], error.message[:200]))
    return objects


def ends(line):
    return int(line["start"], 16), int(line["end"], 16)


def size(lines):
    return sum(ends(line)[1] - ends(line)[0] for line in lines)


def check_image(of, summary, path):
    """Records, one by one, and the digest."""
    if not os.path.exists(path):
        need(not of["record"] or not summary["records"],
             "records are told, and there is no image")
        return
    file = images.MappedFile(path)
    told = of["record"]
    if summary:
        need(summary["written_bytes"] == len(file) or summary["status"] == 1
             or summary["status"] > 128, "written_bytes is not the size")
        need(summary["records"] == len(told), "records is not their count")
    end = 0
    for line, record in zip(told, images.records(file)):
        need(ends(line) == (record.start, record.end),
             "a record is of %s, told is %r", hex(record.start), line)
        need(line["offset"] == record.offset == end,
             "a record is at %d: %r", record.offset, line)
        need(line["length"] == record.next - record.offset,
             "a record takes %d: %r", record.next - record.offset, line)
        end = record.next
    need(end == len(file) or not summary,
         "the records told end at %d of %d", end, len(file))
    if summary and summary["sha256"]:
        with open(path, "rb") as image:
            need(hashlib.sha256(image.read()).hexdigest() ==
                 summary["sha256"], "sha256 is of something else")


def check_times(of, summary):
    before = 0
    for line in of["record"]:
        need(line["read_begin"] <= line["read_end"],
             "a record that ended before it began: %r", line)
        need(line["read_begin"] >= before or of["header"][0]["options"].get(
            "threads") != 1, "a record before the one before: %r", line)
        before = line["read_begin"]
        need(not summary or line["read_end"] <= summary["seconds"],
             "a record after the end: %r", line)


def check_sums(of, summary):
    header = of["header"][0]
    late = [line for line in of["unreadable"] if line["reason"] == "late"]
    uncovered = [line for line in of["unreadable"]
                 if line["reason"] == "uncovered"]
    for name, lines in (("unreadable_bytes", of["unreadable"]),
                        ("late_bytes", late), ("uncovered_bytes", uncovered),
                        ("trimmed_bytes", of["trimmed"]),
                        ("filled_bytes", of["filled"])):
        need(summary[name] == size(lines), "%s is %d, lines say %d", name,
             summary[name], size(lines))
    if of["range"]:
        need(summary["ranges"] == len(of["range"]), "ranges is not the count")
        need(summary["read_bytes"] == size(of["range"]),
             "read_bytes is not what the ranges hold")
        need(header["iomem"]["bytes"] + summary["late_bytes"] ==
             summary["ram_bytes"], "ram_bytes is not iomem's")
    if summary["status"] in (0, 3):
        need(summary["elided_bytes"] + size(of["record"]) ==
             summary["read_bytes"], "records and elided_bytes are not all")
        need((summary["status"] == 3) == (summary["unreadable_bytes"] > 0),
             "status %d", summary["status"])
    else:
        need(summary["error"], "no error is told")
    need(summary["outcome"] == {0: "complete", 3: "partial", 1: "failed"}.get(
        summary["status"], "stopped"), "outcome %s", summary["outcome"])


def check(args):
    lines = read_lines(args.report, args.killed)
    if args.killed and not lines:
        return
    need(lines and lines[0]["type"] == "header", "the first is no header")
    of = collections.defaultdict(list)
    for line in lines:
        of[line["type"]].append(line)
    need(len(of["header"]) == 1, "more than one header")
    summary = None
    if not args.killed:
        summary = lines[-1]
        need(summary["type"] == "summary" and len(of["summary"]) == 1,
             "the last is no summary")
        need(args.status is None or summary["status"] == args.status,
             "status %d", summary["status"])
        check_sums(of, summary)
    check_times(of, summary)
    if args.image:
        check_image(of, summary, args.image)
    for want in args.equals:
        key, value = want.split("=", 1)
        need(str(summary[key]) == value, "%s is %s", key, summary[key])
    for want in args.count:
        key, number = want.split("=", 1)
        count = len(of[key])
        need(count == int(number) if number[-1] != "+" else
             count >= int(number[:-1]), "%d lines of %s", count, key)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["check"])
    parser.add_argument("report")
    parser.add_argument("--image")
    parser.add_argument("--status", type=int)
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--is", dest="equals", action="append", default=[])
    parser.add_argument("--count", action="append", default=[])
    try:
        check(parser.parse_args())
    except (Wrong, images.ImageError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
