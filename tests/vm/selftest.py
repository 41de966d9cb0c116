#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that check.py says `not ok` where it has to.

    selftest.py            on made-up results: no guest, under a minute
    selftest.py RESULTS    on a copy of a real boot's (run.sh with KEEP=),
                           without those that compress an image anew

Every fault of faults_*.py is put into otherwise good results, one at a time,
and the check that is there for it must fail. Without a fault all checks must
pass. The cases that are judged must be those that the guest runs.
"""

import contextlib
import copy
import io
import os
import re
import shutil
import sys
import tempfile

import check
import faults_bpf  # noqa: F401
import faults_bundle  # noqa: F401
import faults_images  # noqa: F401
import faults_net  # noqa: F401
import faults_sources  # noqa: F401
import faults_v2  # noqa: F401
import measured
from faults import FAULTS
from guest import FOUR_GIB, Guest
from judging import CASES, Tap
from made_up import make_results
from patched import is_same_text

# --- trying them -------------------------------------------------------------

def copy_results(source, target, name):
    """A copy in which what a fault changes is a file of its own."""
    for directory in os.listdir(source):
        if directory not in (name, name + "_json", "guest"):
            os.symlink(os.path.abspath(os.path.join(source, directory)),
                       os.path.join(target, directory))
            continue
        os.mkdir(os.path.join(target, directory))
        for entry in os.listdir(os.path.join(source, directory)):
            old = os.path.join(source, directory, entry)
            new = os.path.join(target, directory, entry)
            if directory == name and entry.startswith("out."):
                shutil.copy2(old, new)
            else:
                os.symlink(os.path.abspath(old), new)


def judge(results, *cases):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = check.main(["check.py", results, *cases])
    bad = [line for line in out.getvalue().splitlines()
           if line.startswith("not ok")]
    return status, bad


def boots_of_init():
    """{boot: its cases} as the guest's init has them."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "init"), encoding="utf-8") as file:
        text = file.read()
    return {name: re.findall(r"^\tcase_(\w+)$", body, re.M)
            for name, body in re.findall(r"^boot_(\w+)\(\)\n\{\n(.*?)^\}",
                                         text, re.M | re.S)}


def check_boots(tap):
    """No case is run and not judged, or judged in no boot."""
    init = boots_of_init()
    for boot, cases in check.BOOTS.items():
        ran = init.get(boot) or init.get(re.sub("_(nokaslr|newer)$", "", boot))
        tap.check(cases.split() == ran,
                  "boot %s: what is judged is what it runs" % boot,
                  "%s, not %s" % (ran, cases.split()))
    judged = {name for cases in check.BOOTS.values() for name in cases.split()}
    tap.check(judged == set(CASES), "every case is in a boot",
              "%s" % (judged ^ set(CASES)))
    tried = {name for _, name, _, _ in FAULTS}
    # These are judged by the same lines as others that have faults.
    alike = {"threads1", "compressed_stream"}
    tap.check(tried | alike >= judged, "every case has a fault",
              "%s" % (judged - tried - alike))


def check_left_out(tap, source):
    """Without the program for it a case may be missing, and no other may."""
    whole = check.BOOTS["main"].split()
    for words, failed in (("stream_tcp stream_put", 0), ("stream_put", 0),
                          ("stream_tcp plain", 1)):
        with tempfile.TemporaryDirectory() as temp:
            guest = Guest(os.path.join(source, "guest"))
            guest.path = temp
            guest.boot = "main"
            with open(temp + "/left_out", "w", encoding="ascii") as file:
                file.write(words)
            inner = Tap()
            with contextlib.redirect_stdout(io.StringIO()):
                judged = check.cases_of(inner, guest)
        wanted = [name for name in whole
                  if name == "plain" or name not in words.split()]
        tap.check(inner.failed == failed and judged == wanted,
                  "left out %s: %d faults, the others are judged"
                  % (words, failed), "%d, %s" % (inner.failed, judged))


def check_processors(tap, source):
    """Each boot is of its processor, and has RAM where that has it."""
    real = Guest(os.path.join(source, "guest"))
    offset = (1 << 30) - real.ram_base
    low = {at: page for at, page in real.planted.items() if at < FOUR_GIB}
    moved = {at + offset: page for at, page in low.items()}
    for boot, machine, base, planted, wanted in (
            ("main", "x86_64", real.ram_base, low, 1),
            ("main", "aarch64", 1 << 30, moved, 1),
            ("arm64", "aarch64", 1 << 30, moved, 0),
            ("arm64_newer", "aarch64", 1 << 30, moved, 0),
            ("arm64", "aarch64", 0, moved, 1),
            ("arm64", "aarch64", 1 << 30, {}, 1),
            ("arm64", "x86_64", 1 << 30, moved, 2)):
        guest = copy.copy(real)
        guest.boot, guest.machine, guest.ram_base = boot, machine, base
        guest.planted = planted
        guest.levels = 4
        inner = Tap()
        with contextlib.redirect_stdout(io.StringIO()):
            check.check_boot(inner, guest)
            check.check_planting(inner, guest)
        tap.check(inner.failed == wanted,
                  "boot %s of %s, RAM from 0x%x, %d pages: %d faults" % (
                      boot, machine, base, len(planted), wanted),
                  "%d" % inner.failed)


def check_patched(tap):
    """Jumps that the kernel switched are no difference, and all else is."""
    nop5, jump5 = b"\x0f\x1f\x44\x00\x00", b"\xe9\x96\x00\x00\x00"
    nop4, branch = b"\x1f\x20\x03\xd5", b"\x01\x00\x00\x14"
    text = b"\x90" * 64
    for one, other, wanted in (
            (nop5, jump5, True), (jump5, nop5, True),
            (b"\x66\x90", b"\xeb\x65", True), (nop4, branch, True),
            (nop5 + b"\xeb\x65", jump5 + b"\x66\x90", True),
            (nop5, b"\xe8\x96\x00\x00\x00", False),
            (jump5, b"\xe9\x97\x00\x00\x00", False),
            (nop5 + b"\x90", jump5 + b"\x91", False),
            (nop4, b"\x01\x00\x00\x94", False),
            (nop5 * 9, jump5 * 9, False), (b"", b"\x90", False)):
        tap.check(is_same_text(text + one + text, text + other + text)
                  == wanted, "text: %s and %s are %s" % (
                      one.hex(), other.hex(), "the same" if wanted else "not"))
    tap.check(not is_same_text(text, None), "text: none is not the same")


def check_measured(tap):
    """What is left in the page cache is looked at, and too much is noticed."""
    good = "avml 100663296 100663296 20000000\ndd 100663296 1 99000000\n"
    times = "bytes 1000\navml 1\ndd_1M 1\ndd_4k 1\n"
    for text, more, wanted in (
            (good, times, 0), ("", times, 1), (good, "", 1),
            (good, times.replace("dd_4k", "dd"), 1),
            (good.replace("\ndd", "\nxx"), times, 1),
            (good.replace(" 20000000", " 50000000"), times, 1),
            (good.replace(" 99000000", " 9000000"), times, 1),
            (good.replace("100663296 20000000", "80000000 2"), times, 1)):
        with tempfile.TemporaryDirectory() as temp:
            with open(temp + "/cache", "w", encoding="ascii") as file:
                file.write(text)
            with open(temp + "/kcore_times", "w", encoding="ascii") as file:
                file.write(more)
            inner = Tap()
            with contextlib.redirect_stdout(io.StringIO()):
                measured.judge(inner, temp, "main")
        tap.check(inner.failed == wanted, "measured: %r %r: %d faults"
                  % (text, more, wanted), "%d" % inner.failed)


def main(argv):
    tap = Tap()
    check_measured(tap)
    check_patched(tap)
    check_boots(tap)
    with tempfile.TemporaryDirectory() as temp:
        source = argv[1] if len(argv) > 1 else temp + "/good"
        if len(argv) < 2:
            make_results(source)
        names = [name for name in CASES
                 if os.path.exists("%s/%s/cmd" % (source, name))]
        status, bad = judge(source, *names)
        tap.check(status == 0 and not bad, "good results pass", "; ".join(bad))
        check_left_out(tap, source)
        check_processors(tap, source)
        guest = Guest(os.path.join(source, "guest"))
        for number, (what, name, words, change) in enumerate(FAULTS):
            # Python would compress a real guest's memory for hours.
            if name not in names or (
                    len(argv) > 1 and getattr(change, "rewrites", False)):
                continue
            copy = "%s/%d" % (temp, number)
            os.mkdir(copy)
            copy_results(source, copy, name)
            change(copy, guest)
            status, bad = judge(copy, name)
            tap.check(status == 1 and any(words in line for line in bad),
                      "%s: %s is noticed" % (name, what),
                      "no '%s' among: %s" % (words, bad))
            shutil.rmtree(copy)
    print("%d passed, %d failed" % (tap.passed, tap.failed))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
