#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is the line of a host in the results of contrib/ansible as it should be?

  fleet.py RESULTS HOST [NAME=VALUE | NAME~REGEX]...

Every line of RESULTS has to be an object with exactly the members that the
README names; of HOST the last one counts. VALUE is JSON, or else a text.
"""

import json
import re
import sys

MEMBERS = {
    "case": (str,),
    "host": (str,),
    "time": (str,),
    "status": (str,),
    "sink": (str,),
    "image": (str, type(None)),
    "sha256": (str, type(None)),
    "bytes": (int, type(None)),
    "unreadable_bytes": (int, type(None)),
    "seconds": (int, float, type(None)),
    "left": (str, type(None)),
    "error": (str, type(None)),
}


def check_members(line):
    if set(line) != set(MEMBERS):
        sys.exit("not these members: %s" % sorted(line))
    for name, types in MEMBERS.items():
        if type(line[name]) not in types:
            sys.exit("%s is %r" % (name, line[name]))
    if line["status"] not in ("ok", "partial", "failed", "unreachable"):
        sys.exit("status is %r" % line["status"])
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]):
        sys.exit("time is %r" % line["time"])


def value_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def main():
    path, host, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(text) for text in file]
    for line in lines:
        check_members(line)
    of_host = [line for line in lines if line["host"] == host]
    if not of_host:
        sys.exit("no line of %s" % host)
    line = of_host[-1]
    for want in wanted:
        name, kind, value = re.fullmatch(r"(\w+)([=~])(.*)", want, re.S).groups()
        if kind == "=":
            good = line[name] == value_of(value) or line[name] == value
        else:
            good = re.search(value, str(line[name]))
        if not good:
            sys.exit("%s: not %s, in %s" % (host, want, json.dumps(line)))


main()
