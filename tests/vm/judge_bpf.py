# SPDX-License-Identifier: MIT
"""Memory by a program of BPF (cases_bpf.sh)."""

import json

from acquired import PAGE, Image
from guest import FAULT, size
from judge_sources import BPF, check_locked, check_sources
from judging import (UNREADABLE, V1_FILE, case, check_image, check_refusal,
                     check_status)

PROGRAM = "avml_read"
# Of KFENCE's pool, which has 255 objects with a page before and behind each.
POOL = 2 << 20


def check_bpf(tap, run, guest, kind="v1", **more):
    """All that iomem names: there are no program headers."""
    return check_image(tap, run, guest.without_kcore(), kind, BPF, **more)


def check_agreement(tap, run, guest, image):
    """What cannot have changed is the same by kcore and by BPF."""
    other = Image(run.path("../plain/" + V1_FILE))
    known = sorted(guest.planted) + guest.text_pages()
    same = sum(image.page(at) is not None and
               guest.is_same(at)(image.page(at), other.page(at))
               for at in known)
    tap.check(same == len(known) and known,
              "%s: planted and text pages as kcore has them: %d of %d"
              % (run.name, same, len(known)))


def summary_of(run):
    with open(run.path("report"), encoding="utf-8") as file:
        return json.loads(file.read().splitlines()[-1])


def check_footprint(tap, run, guest):
    """What the report says of program and map: two threads have six pieces.

    Two of them for what is beside a page that faults. Two more programs found
    where memory is, and one probed.
    """
    said = summary_of(run).get("footprint") or {}
    old = guest.release.startswith("5.10.")
    kind = "raw-tracepoint" if old else "syscall"
    tap.check(said.get("program") == kind and said.get("programs") == 1
              and said.get("loads") == 4
              and said.get("map_bytes") == 6 * (256 << 10)
              and 100 < said.get("program_bytes", 0) < 4096,
              "%s: the report tells of one program (%s) and its map"
              % (run.name, kind), "%s" % said)


@case
def bpf_threads(tap, run, guest):
    image = check_bpf(tap, run, guest)
    check_footprint(tap, run, guest)
    if image:
        check_agreement(tap, run, guest, image)


@case
def bpf_compressed(tap, run, guest):
    check_bpf(tap, run, guest, "v2")


@case
def bpf_kptr(tap, run, guest):
    check_bpf(tap, run, guest)


@case
def bpf_secret(tap, run, guest):
    check_bpf(tap, run, guest, unreadable=guest.secret())


@case
def bpf_kfence(tap, run, guest):
    """Pages that are not mapped: which they are the kernel alone knows."""
    said = [(int(start, 16), int(end, 16)) for start, end, reason
            in UNREADABLE.findall(run.stderr) if reason == FAULT]
    low, high = min(said)[0], max(said)[1]
    tap.check(POOL // 4 <= size(said) <= POOL and high - low <= POOL,
              "bpf_kfence: %d pages of KFENCE's pool cannot be read"
              % (size(said) // PAGE), "%d in %d" % (size(said), high - low))
    check_bpf(tap, run, guest, unreadable=[
        (start, end, FAULT) for start, end in said])


# --- what is left of it ------------------------------------------------------

def ours(run, name):
    """Programs and maps of ours, of what bpftool listed, a line each."""
    names = [item.get("name") for line in run.lines(name)
             for item in json.loads(line)]
    return [name for name in names if name == PROGRAM]


def check_left(tap, run):
    before, during, after = (ours(run, "bpf." + when) for when in (
        "before", "while", "after"))
    tap.check(len(during) == 2, "%s: bpftool shows program and map, while "
              "avml reads" % run.name, "%d" % len(during))
    tap.check(not before and not after and run.lines("bpf.after"),
              "%s: bpftool shows none of them, before and after" % run.name,
              "%s %s" % (before, after))


@case
def bpf_left(tap, run, _guest):
    check_status(tap, run, 0)
    check_left(tap, run)


@case
def bpf_killed(tap, run, _guest):
    check_status(tap, run, 137)
    check_left(tap, run)


# --- where it is the only one ------------------------------------------------

@case
def bpf(tap, run, guest):
    check_bpf(tap, run, guest)


@case
def sources_bpf(tap, run, guest):
    check_sources(tap, run, guest, "missing", "masked", "strict-devmem",
                  "usable")


# --- who may, and who may not ------------------------------------------------

@case
def bpf_root(tap, run, guest):
    check_bpf(tap, run, guest)


@case
def bpf_user(tap, run, _guest):
    check_refusal(tap, run, BPF, "run as root")


@case
def bpf_no_admin(tap, run, _guest):
    check_refusal(tap, run, BPF, "CAP_SYS_ADMIN is missing")


@case
def bpf_no_bpf(tap, run, _guest):
    check_refusal(tap, run, BPF, "CAP_BPF is missing")


@case
def bpf_no_perfmon(tap, run, _guest):
    check_refusal(tap, run, BPF, "CAP_PERFMON is missing")


@case
def bpf_unmarked(tap, run, _guest):
    check_refusal(tap, run, BPF, "must not be touched", "kpageflags",
                  "--force")


@case
def bpf_forced(tap, run, guest):
    check_bpf(tap, run, guest, warnings=["not known.*; --force reads"])


@case
def bpf_lockdown(tap, run, _guest):
    check_locked(tap, run, "confidentiality")
    check_refusal(tap, run, BPF, "lockdown is 'confidentiality'")
