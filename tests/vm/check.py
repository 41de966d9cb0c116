#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges what avml did in a guest.

    check.py RESULTS [CASE...]

RESULTS is the directory of one boot as run.sh reads it back: guest/ with
the guest's facts, and a directory for each case (see init). Prints a line
`ok N - what` or `not ok N - what: why` for each check; exits 1 if any
failed. run.sh adds them up.

A new case is a function here, decorated with @case, of the same name as
the one in init.
"""

import os
import re
import stat
import sys

from guest import FOUR_GIB, Guest, show, size
from lime import PAGE, Image

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Tap:
    """Counts and prints."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, good, what, why=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        print("%s %d - %s%s" % (
            "ok" if good else "not ok", self.passed + self.failed, what,
            "" if good or not why else ": " + why), flush=True)
        return good

    @staticmethod
    def note(text):
        print("# " + text, flush=True)


class Run:
    """What one case left behind."""

    def __init__(self, results, name):
        self.name = name
        self.dir = os.path.join(results, name)
        self.cmd = self._text("cmd")
        self.status = int(self._text("status"))
        self.stdout = self._text("stdout")
        self.stderr = self._text("stderr")
        self.seconds = float(self._text("seconds"))

    def _text(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8",
                  errors="replace") as file:
            return file.read().strip()

    def path(self, name="out.lime"):
        return os.path.join(self.dir, name)

    def images(self):
        return [name for name in os.listdir(self.dir)
                if name.startswith("out.")]

    def says(self, *words):
        """The words that stderr lacks; each may be a regex."""
        return [word for word in words
                if not re.search(word, self.stderr, re.I | re.M)]


# --- parts of a judgement ----------------------------------------------------

def check_status(tap, run, status):
    why = "%d; stderr: %s" % (run.status, run.stderr[-600:])
    if run.status == 137:
        why = "killed after the time limit; " + why
    tap.check(run.status == status,
              "%s: exit status %d" % (run.name, status), why)
    tap.check(not run.stdout, "%s: nothing on stdout" % run.name,
              run.stdout[:200])


def check_form(tap, run, image):
    tap.check(image.records and not image.faults,
              "%s: %d records, well formed LiME v1, ascending, whole pages"
              % (run.name, len(image.records)),
              "; ".join(image.faults[:5]) or "no record")


def check_blocks(tap, run, guest, image):
    """Every record is a block of RAM; returns the blocks left out."""
    blocks = guest.blocks()
    known = set(blocks)
    have = {(record.start, record.end) for record in image.records}
    wrong = [str(record) for record in image.records
             if (record.start, record.end) not in known]
    tap.check(not wrong,
              "%s: records are 16 MiB blocks of iomem's RAM that is in kcore"
              % run.name, "not a block: " + " ".join(wrong[:5]))
    zero = [str(record) for record in image.records if image.is_zero(record)]
    tap.check(not zero, "%s: no record is all zero" % run.name,
              " ".join(zero[:5]))
    return [block for block in blocks if block not in have]


def compare(image, pages, what, where=None):
    """Compares pages {address: bytes}; returns (found, why not all).

    where limits it to the addresses that it says yes to.
    """
    found = total = absent = 0
    first = None
    for address, want in pages.items():
        if where and not where(address):
            continue
        total += 1
        page = image.page(address)
        if page == want:
            found += 1
            continue
        absent += page is None
        if first is None:
            first = address
    why = ""
    if first is not None:
        why = "%d %s wrong, %d of them not in the image, first at 0x%x" % (
            total - found, what, absent, first)
    return found, total, why


def check_planted(tap, run, guest, image):
    found, total, why = compare(image, guest.planted, "planted pages")
    tap.check(found == total and total,
              "%s: planted pages found: %d of %d" % (run.name, found, total),
              why or "none planted")


def check_text(tap, run, guest, image):
    """Kernel text is written to at boot only, so both views must agree."""
    pages = {at: guest.ram_page(at) for at in guest.text_pages()}
    found, total, why = compare(image, pages, "text pages")
    tap.check(found == total and total,
              "%s: kernel text pages equal to the hypervisor's RAM: %d of %d"
              % (run.name, found, total), why or "no Kernel code in iomem")


def check_left_out(tap, run, guest, left_out):
    """Must have been zero, which is not known; but these were not."""
    held = [at for at in list(guest.planted) + guest.text_pages()
            if any(start <= at < end for start, end in left_out)]
    tap.check(not held,
              "%s: %d blocks left out, none with a page known not to be zero"
              % (run.name, len(left_out)),
              " ".join("0x%x" % at for at in held[:5]))


def check_said(tap, run, guest):
    """What is not in the image has to be told."""
    text = run.stderr.lower()
    missing = ["0x%016x-0x%016x" % pair for pair in guest.ranges
               if "range 0x%016x-0x%016x" % pair not in text]
    tap.check(not missing, "%s: stderr names the ranges read: %s"
              % (run.name, show(guest.ranges)),
              "not named: " + " ".join(missing))
    if guest.trimmed:
        tap.check("trimmed" in text, "%s: stderr says what was trimmed: %s"
                  % (run.name, show(guest.trimmed)), run.stderr[-600:])
    if guest.not_in_kcore:
        tap.check("program header" in text,
                  "%s: stderr says what kcore does not have: %s"
                  % (run.name, show(guest.not_in_kcore)), run.stderr[-600:])
    else:
        tap.check(not re.search(r"^(warning|error):", run.stderr, re.M),
                  "%s: no warning, no error on stderr" % run.name,
                  run.stderr[-600:])


def check_summary(tap, run, guest, image, left_out):
    """The summary's numbers against the file's."""
    match = re.search(
        r"^avml: .*?(\d+) ranges, (\d+) bytes of RAM.*?(\d+) records, "
        r"(\d+) bytes written, (\d+) bytes of zero blocks left out, "
        r"(\d+) bytes unreadable; ([0-9.]+) s, ([0-9.]+) MiB/s",
        run.stderr, re.M)
    if not tap.check(match, "%s: a summary line" % run.name,
                     run.stderr[-600:]):
        return
    said = [int(number) for number in match.groups()[:6]]
    seen = [len(guest.ranges), size(guest.ranges), len(image.records),
            image.size, size(left_out), size(guest.not_in_kcore)]
    tap.check(said == seen, "%s: the summary's numbers are the image's: "
              "%d ranges, %d bytes of RAM, %d records, %d bytes written, "
              "%d left out, %d unreadable" % (run.name, *seen),
              "it says %s" % said)
    tap.note("%s: avml says %s s, %s MiB/s; by the guest's clock %.2f s, "
             "%.1f MiB/s of RAM" % (
                 run.name, match.group(7), match.group(8), run.seconds,
                 size(guest.ranges) / 1048576 / max(run.seconds, 0.01)))


def check_stable(tap, run, guest, image):
    """For an image of low memory alone, where nothing can be planted.

    A page that is the same in the first case's image and at power-off was
    very likely the same in between.
    """
    plain_image = Image(run.path("../plain/out.lime"))
    zero = bytes(PAGE)
    same = total = 0
    for record in image.records:
        for at in range(record.start, record.end, PAGE):
            want = guest.ram_page(at)
            if want != zero and want == plain_image.page(at):
                total += 1
                same += image.page(at) == want
    tap.check(total and same >= 0.98 * total,
              "%s: pages that never changed, not zero, are right: %d of %d"
              % (run.name, same, total))


def note_alike(tap, run, guest, image):
    """How far the guest's life went on; nothing to pass or fail."""
    same = total = 0
    for record in image.records:
        for at in range(record.start, record.end, PAGE):
            same += image.page(at) == guest.ram_page(at)
            total += 1
    if total:
        tap.note("%s: %.1f %% of all pages are as in the hypervisor's RAM "
                 "at power-off" % (run.name, 100.0 * same / total))


def check_image(tap, run, guest):
    """A whole acquisition that went well."""
    check_status(tap, run, 3 if guest.not_in_kcore else 0)
    if not tap.check(os.path.exists(run.path()),
                     "%s: there is an image" % run.name, "no file"):
        return
    image = Image(run.path())
    check_form(tap, run, image)
    left_out = check_blocks(tap, run, guest, image)
    check_left_out(tap, run, guest, left_out)
    check_planted(tap, run, guest, image)
    check_text(tap, run, guest, image)
    check_said(tap, run, guest)
    check_summary(tap, run, guest, image, left_out)
    note_alike(tap, run, guest, image)


def check_refusal(tap, run, *words):
    """Exit 1, a message with all the words, and no file."""
    check_status(tap, run, 1)
    lacks = run.says("^error: ", *words)
    tap.check(not lacks, "%s: the error says %s" % (run.name, ", ".join(words)),
              "no %s in: %s" % (", ".join(lacks), run.stderr))
    tap.check(not run.images(), "%s: no file left" % run.name,
              " ".join(run.images()))
    for line in run.stderr.splitlines():
        tap.note("%s: %s" % (run.name, line))


# --- the cases ---------------------------------------------------------------

@case
def plain(tap, run, guest):
    check_image(tap, run, guest)
    mode = stat.S_IMODE(os.stat(run.path()).st_mode)
    tap.check(mode == 0o600, "plain: the image's mode is 0600", oct(mode))


@case
def threads1(tap, run, guest):
    check_image(tap, run, guest)


@case
def proc_threads2(tap, run, guest):
    check_image(tap, run, guest)


@case
def stream(tap, run, guest):
    check_image(tap, run, guest)


@case
def enospc(tap, run, guest):
    check_status(tap, run, 1)
    lacks = run.says("^error: ", r"/small/out\.lime", "no space left")
    tap.check(not lacks, "enospc: the error names the file and its reason",
              "no %s in: %s" % (", ".join(lacks), run.stderr))
    if not tap.check(os.path.exists(run.path()), "enospc: a file is left"):
        return
    image = Image(run.path())
    check_form(tap, run, image)
    check_blocks(tap, run, guest, image)
    check_stable(tap, run, guest, image)
    # The page is in a record or it is not: those that are must be right.
    known = dict(guest.planted)
    known.update((at, guest.ram_page(at)) for at in guest.text_pages())
    found, total, why = compare(image, known, "known pages",
                                lambda at: image.page(at) is not None)
    tap.check(found == total,
              "enospc: planted and text pages in what is left: %d of %d"
              % (found, total), why)
    note_alike(tap, run, guest, image)


@case
def not_root(tap, run, _guest):
    check_refusal(tap, run, r"\broot\b|CAP_SYS_")


@case
def no_kcore(tap, run, _guest):
    check_refusal(tap, run, "kcore", "no such file|does not exist|not there")


@case
def masked(tap, run, _guest):
    check_refusal(tap, run, "kcore", "mask")


@case
def lockdown(tap, run, _guest):
    with open(run.path("state"), encoding="ascii") as file:
        state = file.read().strip()
    tap.check("[confidentiality]" in state,
              "lockdown: the guest's kernel is locked down", state)
    check_refusal(tap, run, "lockdown", "confidentiality")


# --- all of them -------------------------------------------------------------

def check_guest(tap, guest):
    low = sum(at < FOUR_GIB for at in guest.planted)
    high = len(guest.planted) - low
    tap.note("RAM in iomem: %s" % show(guest.iomem))
    tap.note("trimmed to whole pages: %s" % show(guest.trimmed))
    tap.note("in no program header of kcore: %s" % show(guest.not_in_kcore))
    tap.note("kernel text: %s" % show(guest.text))
    tap.check(low and high, "guest: pages planted below 4 GiB: %d, above: %d"
              % (low, high), "one side has none")
    tap.check(not guest.moved, "guest: the kernel moved no planted page",
              "%d moved, not counted" % len(guest.moved))
    # The oracle is checked too: what was planted is really there.
    wrong = sum(guest.ram_page(at) != page
                for at, page in guest.planted.items())
    tap.check(not wrong, "guest: the hypervisor's RAM has the planted pages",
              "%d are not there" % wrong)


def main(argv):
    if len(argv) < 2:
        print("usage: check.py RESULTS [CASE...]", file=sys.stderr)
        return 2
    tap = Tap()
    results = argv[1]
    guest = None
    # A missing or damaged file is a failed check, not the end of the others.
    try:
        guest = Guest(os.path.join(results, "guest"))
        check_guest(tap, guest)
        complete = os.path.exists(os.path.join(results, "guest", "complete"))
        tap.check(complete, "guest: ran all its cases")
    except (OSError, ValueError, IndexError) as error:
        tap.check(False, "guest: its facts can be read", repr(error))
    for name in argv[2:] or CASES:
        try:
            if guest is None:
                raise ValueError("nothing known of the guest")
            CASES[name](tap, Run(results, name), guest)
        except (OSError, ValueError, KeyError) as error:
            tap.check(False, "%s: can be judged" % name, repr(error))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
