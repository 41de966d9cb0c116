# SPDX-License-Identifier: MIT
"""Images that left the guest, as they arrived here (cases_net.sh)."""

import json
import os

from judge_bundle import sha256
from judging import V2_FILE, case, check_image


def check_arrival(tap, run, guest):
    """As any image; and the guest's report, which never saw what arrived."""
    if not check_image(tap, run, guest, "v2"):
        return
    with open(run.path("report"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    last = lines[-1]
    said = [last.get("type"), last.get("status"), last.get("written_bytes"),
            last.get("sha256")]
    path = run.path(V2_FILE)
    seen = ["summary", 0, os.path.getsize(path), sha256(path)]
    tap.check(said == seen, "%s: what arrived has the report's length and "
              "SHA-256: %d bytes, %s" % (run.name, seen[2], seen[3]),
              "it says %s" % said)


def check_taken(tap, run, name, wanted):
    """By one connection, which ended as it should."""
    lines = run.lines(name)
    tap.check(lines == wanted, "%s: the receiver tells of %s"
              % (run.name, ", ".join(wanted)), "; ".join(lines[:5]))
    doubts = run.has(r"^note: .*(attempt \d|did not show).*$", run.stderr)
    tap.check(not doubts, "%s: sent once, and confirmed" % run.name,
              doubts and doubts.group())


@case
def stream_tcp(tap, run, guest):
    check_arrival(tap, run, guest)
    check_taken(tap, run, "connections", ["begin", "end"])


@case
def stream_put(tap, run, guest):
    check_arrival(tap, run, guest)
    check_taken(tap, run, "requests",
                ["PUT /stream_put/out.v2 201 chunked TLSv1.3"])
