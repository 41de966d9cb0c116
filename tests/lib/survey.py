# SPDX-License-Identifier: MIT
"""Is this what `avml sources --json` may say?

  survey.py FILE [NAME=REASON]...

Exactly these sources, in this order.  The reason `forbidden` stands for all
that a refusal to open may be called.
"""

import json
import sys

TOP = {"avml": str, "kernel": str, "lockdown": (str, type(None)),
       "root": bool, "cap_sys_rawio": bool, "cap_sys_admin": bool,
       "iomem": dict, "kpageflags": bool, "sources": list}
IOMEM = {"path": str, "ranges": int, "bytes": int,
         "error": (str, type(None))}
SOURCE = {"name": str, "path": str, "usable": bool, "primary": bool,
          "reason": str, "message": (str, type(None)),
          "remedy": (str, type(None))}
FORBIDDEN = {"not-root", "capability", "user-namespace", "lockdown",
             "denied"}
REASONS = FORBIDDEN | {"usable", "missing", "masked", "strict-devmem",
                       "headers", "no-ram", "unreadable", "unsafe", "other"}


def no_doubles(pairs):
    assert len(dict(pairs)) == len(pairs), "a key is there twice: %s" % pairs
    return dict(pairs)


def no_constant(word):
    raise ValueError("%s is no JSON" % word)


def check_types(what, value, types):
    assert set(value) == set(types), "%s has the keys %s" % (
        what, sorted(value))
    for key, kind in types.items():
        # bool is an int to Python, but not to JSON.
        good = isinstance(value[key], kind) and \
            not (kind is int and isinstance(value[key], bool))
        assert good, "%s.%s is %r" % (what, key, value[key])


def check_source(source):
    check_types("sources[]", source, SOURCE)
    assert source["reason"] in REASONS, source["reason"]
    usable = source["usable"]
    assert usable == (source["reason"] == "usable"), source
    assert usable == (source["message"] is None), source
    assert not (usable and source["remedy"]), source
    assert source["message"] != "" and source["remedy"] != "", source


def check(path, wanted):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8")  # strictly
    assert text.endswith("}\n"), "no line's end"
    survey = json.loads(text, object_pairs_hook=no_doubles,
                        parse_constant=no_constant)
    check_types("the object", survey, TOP)
    check_types("iomem", survey["iomem"], IOMEM)
    assert survey["lockdown"] in (None, "none", "integrity",
                                  "confidentiality"), survey["lockdown"]
    first = True
    for source in survey["sources"]:
        check_source(source)
        assert source["primary"] == (source["usable"] and first), \
            "primary: %s" % source
        first = first and not source["usable"]
    for source, word in zip(survey["sources"], wanted):
        name, reason = word.split("=")
        assert source["name"] == name, "%s, not %s" % (source["name"], name)
        assert source["reason"] == reason or (
            reason == "forbidden" and source["reason"] in FORBIDDEN), \
            "%s: %s, not %s" % (name, source["reason"], reason)
    assert len(survey["sources"]) == len(wanted), "%d sources" % len(
        survey["sources"])


if __name__ == "__main__":
    check(sys.argv[1], sys.argv[2:])
