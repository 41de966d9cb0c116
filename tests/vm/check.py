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

import acquired
from acquired import BLOCK, NAMES, PAGE, Image
from guest import FOUR_GIB, Guest, merge, show, size

CASES = {}
V1_FILE, V2_FILE = "out.lime", "out.v2"

# What avml says of records whose stream is as long as their memory.
LONG = re.compile(r"^(?:warning|note): (\d+) records? hold memory that does "
                  r"not compress at all.*$", re.M)


def case(function):
    CASES[function.__name__] = function
    return function


class Tap:
    """Counts and prints."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.rates = []

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

    def path(self, name=V1_FILE):
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


def check_form(tap, run, image, kind="v1"):
    good = image.records and not image.faults and image.kind == kind
    tap.check(good, "%s: %d records, well formed %s, ascending, whole pages"
              % (run.name, len(image.records), NAMES[kind]),
              "; ".join(image.faults[:5]) or "it is %s" % image.kind)


def check_mode(tap, run, name):
    mode = stat.S_IMODE(os.stat(run.path(name)).st_mode)
    tap.check(mode == 0o600, "%s: the image's mode is 0600" % run.name,
              oct(mode))


def blocks_in(record, blocks):
    """The blocks that a record is made of; none if it cuts one."""
    inside = [(start, end) for start, end in blocks
              if start >= record.start and end <= record.end]
    return inside if merge(inside) == [(record.start, record.end)] else []


def check_blocks(tap, run, guest, image):
    """Every record is made of blocks of RAM; returns the blocks left out.

    One block in v1. In v2 more are joined in a record where it has to be
    (see check_streams).
    """
    blocks = guest.blocks()
    have = set()
    wrong = []
    for record in image.records:
        inside = blocks_in(record, blocks)
        if len(inside) == 1 or inside and record.kind == "v2":
            have.update(inside)
        else:
            wrong.append(acquired.show(record))
    tap.check(not wrong,
              "%s: records are 16 MiB blocks of iomem's RAM that is in kcore"
              % run.name, "not a block: " + " ".join(wrong[:5]))
    zero = [acquired.show(record) for record in image.records
            if image.is_zero(record)]
    tap.check(not zero, "%s: no record is all zero" % run.name,
              " ".join(zero[:5]))
    return [block for block in blocks if block not in have]


def check_streams(tap, run, image):
    """What only v2 has: trailers, CRCs, and the length of a stream."""
    right = sum(record.trailer == record.stored for record in image.records)
    tap.check(right == len(image.records),
              "%s: trailers that are the stream's length: %d of %d"
              % (run.name, right, len(image.records)))
    faults, sample = image.chunk_faults()
    tap.check(not faults and image.pieces,
              "%s: chunks whose CRC is right: %d of %d"
              % (run.name, len(image.pieces) - len(faults),
                 len(image.pieces)), "; ".join(faults[:5]))
    tap.note("%s: blocks decoded by %s, %d of them by Python too"
             % (run.name, acquired.DECODER, sample))

    # A reader takes one byte less than the range has, whatever is there.
    long = [acquired.show(record) for record in image.records
            if record.stored > record.length - 1]
    said = sum(int(number) for number in LONG.findall(run.stderr))
    tap.check(len(long) == said,
              "%s: streams longer than their memory: %d, told on stderr: %d"
              % (run.name, len(long), said), " ".join(long[:5]))

    joined = [record for record in image.records if record.length > BLOCK]
    needless = [acquired.show(record) for record in joined
                if stream_of_block(record) < BLOCK]
    tap.check(not needless,
              "%s: records of more than a block: %d, each because its first "
              "block's stream is too long" % (run.name, len(joined)),
              " ".join(needless[:5]))
    if joined:
        tap.note("%s: joined: %s" % (run.name, " ".join(
            acquired.show(record) for record in joined)))


def stream_of_block(record):
    """The length of the stream that a record's first block makes."""
    length = made = 0
    for kind, at, size in record.chunks:
        if made >= BLOCK:
            break
        length += 4 + size
        if kind == acquired.STORED:
            made += size - 4
        elif kind == 0:
            made += acquired.block_length(record.image, at)
    return length


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


def check_no_warning(tap, run):
    text = LONG.sub("", run.stderr)
    tap.check(not re.search(r"^(warning|error):", text, re.M),
              "%s: no warning, no error on stderr" % run.name, text[-600:])


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
        check_no_warning(tap, run)


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
    note_rate(tap, run, size(guest.ranges), image, *match.groups()[6:])


def note_rate(tap, run, memory, image, seconds, rate):
    """For information: a machine that is busy makes them lower."""
    tap.note("%s: avml says %s s, %s MiB/s; by the guest's clock %.2f s, "
             "%.1f MiB/s of memory" % (
                 run.name, seconds, rate, run.seconds,
                 memory / 1048576 / max(run.seconds, 0.01)))
    tap.rates.append("%s %s MiB/s (%d MiB of memory, image %d MiB)" % (
        run.name, rate, memory >> 20, image.size >> 20))


def check_conversion_summary(tap, run, image):
    match = re.search(
        r"^avml: .*?: (\d+) bytes of memory from .*?; (\d+) records, "
        r"(\d+) bytes written, (\d+) bytes of zero blocks left out, "
        r"(\d+) bytes lost in (\d+) places; ([0-9.]+) s, ([0-9.]+) MiB/s",
        run.stderr, re.M)
    if not tap.check(match, "%s: a summary line" % run.name,
                     run.stderr[-600:]):
        return
    memory = sum(record.length for record in image.records)
    said = [int(number) for number in match.groups()[:6]]
    seen = [memory, len(image.records), image.size, 0, 0, 0]
    tap.check(said == seen, "%s: the summary's numbers are the image's: "
              "%d bytes of memory, %d records, %d bytes written, %d left "
              "out, %d lost in %d places" % (run.name, *seen),
              "it says %s" % said)
    note_rate(tap, run, memory, image, *match.groups()[6:])


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


def open_image(tap, run, name=V1_FILE):
    if tap.check(os.path.exists(run.path(name)),
                 "%s: there is an image" % run.name, "no file"):
        return Image(run.path(name))
    return None


def check_image(tap, run, guest, kind="v1"):
    """A whole acquisition that went well."""
    check_status(tap, run, 3 if guest.not_in_kcore else 0)
    image = open_image(tap, run, V1_FILE if kind == "v1" else V2_FILE)
    if not image:
        return
    check_form(tap, run, image, kind)
    if kind == "v2":
        check_streams(tap, run, image)
    left_out = check_blocks(tap, run, guest, image)
    check_left_out(tap, run, guest, left_out)
    check_planted(tap, run, guest, image)
    check_text(tap, run, guest, image)
    check_said(tap, run, guest)
    check_summary(tap, run, guest, image, left_out)
    note_alike(tap, run, guest, image)


def check_conversion(tap, run, guest, source):
    """A v1 image of a v2 image: the same records, the same bytes."""
    check_status(tap, run, 0)
    image = open_image(tap, run)
    if not image:
        return
    check_form(tap, run, image)
    check_no_warning(tap, run)
    check_conversion_summary(tap, run, image)
    other = Image(run.path("../%s/%s" % (source, V2_FILE)))
    table, wanted = ([(record.start, record.end) for record in i.records]
                     for i in (image, other))
    wrong = sorted(set(table) ^ set(wanted))
    tap.check(table == wanted, "%s: the record table of %s: %d records"
              % (run.name, source, len(wanted)),
              "%d records; in one of the two only, or in another order: %s"
              % (len(table), show(wrong[:5])))
    total = sum(record.length for record in other.records)
    same, at = acquired.first_difference(other, image)
    tap.check(same == total and at is None and total,
              "%s: byte for byte what is in %s: %d of %d bytes"
              % (run.name, source, same, total),
              "first difference at %s" % (at if at is None else hex(at)))
    check_planted(tap, run, guest, image)
    check_text(tap, run, guest, image)


def check_agreement(tap, run, guest):
    """What cannot have changed is the same in all images of one boot."""
    names = ["plain/" + V1_FILE, "compressed/" + V2_FILE,
             "converted/" + V1_FILE]
    images = [Image(run.path("../" + name)) for name in names]
    known = sorted(guest.planted) + guest.text_pages()
    same = 0
    for address in known:
        pages = [image.page(address) for image in images]
        same += pages[0] is not None and pages.count(pages[0]) == len(pages)
    tap.check(same == len(known) and known,
              "%s: planted and text pages on which %s agree: %d of %d"
              % (run.name, ", ".join(names), same, len(known)))


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
    check_mode(tap, run, V1_FILE)


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
def compressed(tap, run, guest):
    check_image(tap, run, guest, "v2")
    check_mode(tap, run, V2_FILE)


@case
def compressed_stream(tap, run, guest):
    check_image(tap, run, guest, "v2")


@case
def converted(tap, run, guest):
    check_conversion(tap, run, guest, "compressed")
    check_mode(tap, run, V1_FILE)
    check_agreement(tap, run, guest)


@case
def converted_by_name(tap, run, guest):
    check_conversion(tap, run, guest, "compressed_stream")


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
    for rate in tap.rates:
        tap.note("rate: " + rate)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
