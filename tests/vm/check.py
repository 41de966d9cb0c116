#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges what avml did in a guest.

    check.py RESULTS [CASE...]

RESULTS is the directory of one boot as run.sh reads it back: guest/ with
the guest's facts, and a directory for each case (see init). Prints a line
`ok N - what` or `not ok N - what: why` for each check; exits 1 if any
failed. run.sh adds them up.

Which cases a boot has is said here once more: one that the guest did not
run is missed. A new case is a name below, and a function in judge_*.py.
"""

import os
import sys

import judge_bpf  # noqa: F401
import judge_bundle  # noqa: F401
import judge_faults  # noqa: F401
import judge_main  # noqa: F401
import judge_net  # noqa: F401
import judge_sources  # noqa: F401
import measured
from guest import FOUR_GIB, Guest, show
from judging import CASES, Run, Tap

BOOTS = {
    "main": """stream_tcp stream_put plain threads1 proc_threads2 stream
        compressed compressed_stream converted converted_by_name enospc
        min_free min_free_refused no_fit bundle sigterm tmpfs tmpfs_root
        tmpfs_force sources_plain not_root no_kcore""",
    "sources": """offline offline_kcore gone crash crash_filled crash_bad
        crash_alone sources_crash secret_crash mem_alone mem masked
        masked_empty sources_masked sources_masked_empty no_rawio
        sources_no_rawio no_admin sources_no_admin sources_user
        sources_user_namespace poisoned_crash unmarked unmarked_said
        sources_unmarked integrity integrity_mem sources_integrity lockdown
        sources_lockdown""",
    "newer": """plain threads1 proc_threads2 stream compressed sources_plain
        ballooned secret bpf_secret poisoned plugged lockdown""",
    "older": "plain compressed bpf_threads poisoned",
    "la57": "plain bpf_threads",
    "la57_nokaslr": "plain bpf_threads",
    "bpf": """plain bpf_threads bpf_compressed bpf_kptr bpf_left bpf_killed
        bpf sources_bpf bpf_root bpf_user bpf_no_admin bpf_no_bpf
        bpf_no_perfmon bpf_unmarked bpf_forced bpf_lockdown""",
    "bpf_nokaslr": "plain bpf_kfence",
    "arm64": """plain bpf_threads compressed bpf_left bpf_killed bpf
        sources_plain sources_bpf""",
}
BOOTS["arm64_newer"] = BOOTS["arm64"]
# What run.sh may have had no program for.
OPTIONAL = {"stream_tcp", "stream_put"}


def check_planting(tap, guest):
    low = sum(at < FOUR_GIB for at in guest.planted)
    high = len(guest.planted) - low
    # That of aarch64 has RAM on one side alone.
    tap.check(low and (high or guest.machine == "aarch64"),
              "guest: pages planted below 4 GiB: %d, above: %d" % (low, high),
              "one side has none")
    tap.check(not guest.moved, "guest: the kernel moved no planted page",
              "%d moved, not counted" % len(guest.moved))
    # The oracle is checked too: what was planted is really there.
    wrong = sum(guest.ram_page(at) != page
                for at, page in guest.planted.items())
    tap.check(not wrong, "guest: the hypervisor's RAM has the planted pages",
              "%d are not there" % wrong)


def check_boot(tap, guest):
    """That the boot is what its name says."""
    machine = "aarch64" if guest.boot.startswith("arm64") else "x86_64"
    tap.check(guest.machine == machine, "guest: a processor of %s" % machine,
              guest.machine)
    if machine == "aarch64":
        return
    la57 = guest.boot.startswith("la57")
    tap.check(guest.levels == (5 if la57 else 4),
              "guest: %d levels of page tables" % guest.levels)
    if guest.boot.endswith("_nokaslr"):
        tap.check([start for start, _ in guest.text] == [0x1000000],
                  "guest: the kernel is where it was linked to be",
                  show(guest.text))


def check_guest(tap, guest):
    tap.note("RAM in iomem: %s" % show(guest.iomem))
    tap.note("trimmed to whole pages: %s" % show(guest.trimmed))
    tap.note("in no program header of kcore: %s" % show(guest.not_in_kcore))
    tap.note("kernel text: %s" % show(guest.text))
    check_boot(tap, guest)
    check_planting(tap, guest)


def cases_of(tap, guest):
    """All of the boot, but for what the host, not the guest, left out."""
    names = BOOTS[guest.boot].split()
    path = os.path.join(guest.path, "left_out")
    if not os.path.exists(path):
        return names
    with open(path, encoding="ascii") as file:
        left_out = set(file.read().split())
    tap.check(left_out <= OPTIONAL, "guest: left out are none but %s"
              % ", ".join(sorted(OPTIONAL)), " ".join(sorted(left_out)))
    for name in sorted(left_out):
        tap.note("LEFT OUT: " + name)
    return [name for name in names if name not in left_out & OPTIONAL]


def main(argv):
    if len(argv) < 2:
        print("usage: check.py RESULTS [CASE...]", file=sys.stderr)
        return 2
    tap = Tap()
    results = argv[1]
    names = argv[2:]
    guest = None
    # A missing or damaged file is a failed check, not the end of the others.
    try:
        guest = Guest(os.path.join(results, "guest"))
        check_guest(tap, guest)
        complete = os.path.exists(os.path.join(results, "guest", "complete"))
        tap.check(complete, "guest: ran all its cases")
        names = names or cases_of(tap, guest)
    except (OSError, ValueError, IndexError, KeyError) as error:
        tap.check(False, "guest: its facts can be read", repr(error))
    for name in names:
        try:
            if guest is None:
                raise ValueError("nothing known of the guest")
            run = Run(results, name)
            CASES[name](tap, run, guest.at(run.dir))
        except (OSError, ValueError, KeyError, IndexError) as error:
            tap.check(False, "%s: can be judged" % name, repr(error))
    if guest is not None and len(argv) == 2:
        measured.judge(tap, os.path.join(results, "guest"), guest.boot)
    for rate in tap.rates:
        tap.note("rate: " + rate)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
