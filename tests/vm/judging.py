# SPDX-License-Identifier: MIT
"""The parts that judgements are made of.

A case is a function in one of judge_*.py, decorated with @case, of the same
name as the one in the guest's init.
"""

import operator
import os
import re
import stat

import acquired
from acquired import BLOCK, NAMES, PAGE, Image
from guest import merge, show, size

CASES = {}
V1_FILE, V2_FILE = "out.lime", "out.v2"

# What avml says of records whose stream is as long as their memory.
LONG = re.compile(r"^(?:warning|note): (\d+) records? hold memory that does "
                  r"not compress at all.*$", re.M)
NO_HEADER = "in no program header of the source"
# And of memory that it could not read.
UNREADABLE = re.compile(r"^warning: 0x([0-9a-f]+)-0x([0-9a-f]+) "
                        r"could not be read: (.*)$", re.M)


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

    def lines(self, name):
        return self._text(name).splitlines()

    def path(self, name=V1_FILE):
        return os.path.join(self.dir, name)

    def images(self):
        return [name for name in os.listdir(self.dir)
                if name.startswith("out.")]

    def says(self, *words):
        """The words that stderr lacks; each may be a regex."""
        return [word for word in words if not self.has(word, self.stderr)]

    @staticmethod
    def has(word, text):
        return re.search(word, text, re.I | re.M)


# --- parts of a judgement ----------------------------------------------------

def check_status(tap, run, status, stdout=False):
    why = "%d; stderr: %s" % (run.status, run.stderr[-600:])
    if run.status == 137:
        why = "killed after the time limit; " + why
    tap.check(run.status == status,
              "%s: exit status %d" % (run.name, status), why)
    if not stdout:
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


def compare(image, pages, what, where=None, same_of=lambda _: operator.eq):
    """Compares pages {address: bytes}; returns (found, total, why not all).

    where limits it to the addresses that it says yes to; same_of gives for an
    address what its page is compared by.
    """
    found = total = absent = 0
    first = None
    for address, want in pages.items():
        if where and not where(address):
            continue
        total += 1
        page = image.page(address)
        if same_of(address)(page, want):
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


def check_planted(tap, run, guest, image, unreadable=()):
    found, total, why = compare(
        image, guest.planted, "planted pages",
        lambda at: not any(s <= at < e for s, e, _ in unreadable))
    tap.check(found == total and total,
              "%s: planted pages found: %d of %d" % (run.name, found, total),
              why or "none planted")


def check_text(tap, run, guest, image):
    """Nobody writes to kernel text but the kernel: both views must agree."""
    pages = {at: guest.ram_page(at) for at in guest.text_pages()}
    found, total, why = compare(image, pages, "text pages",
                                same_of=guest.is_same)
    tap.check(found == total and total,
              "%s: kernel text pages equal to the hypervisor's RAM: %d of %d"
              % (run.name, found, total), why or "no Kernel code in iomem")


def check_left_out(tap, run, guest, left_out, unreadable):
    """Must have been zero, which is not known; but these were not."""
    held = [at for at in list(guest.planted) + guest.text_pages()
            if any(start <= at < end for start, end in left_out)
            and not any(start <= at < end for start, end, _ in unreadable)]
    tap.check(not held,
              "%s: %d blocks left out, none with a page known not to be zero"
              % (run.name, len(left_out)),
              " ".join("0x%x" % at for at in held[:5]))


def check_no_warning(tap, run, allowed=()):
    """No warning but those of which at least one must be there."""
    text = UNREADABLE.sub("", LONG.sub("", run.stderr))
    for words in allowed:
        text, count = re.subn(r"^warning: .*(?:%s).*$" % words, "", text,
                              flags=re.M | re.I)
        tap.check(count, "%s: a warning says '%s'" % (run.name, words),
                  run.stderr[-600:])
    tap.check(not re.search(r"^(warning|error):", text, re.M),
              "%s: no %swarning, no error on stderr"
              % (run.name, "other " if allowed else ""), text[-600:])


def check_said(tap, run, guest, source):
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
    match = re.search(r"bytes of RAM from (\S+);", run.stderr)
    tap.check(match and match.group(1) == source,
              "%s: the summary names the source: %s" % (run.name, source),
              "%s" % (match and match.group(1)))


def brief(reasons):
    """{reason: ranges} in words."""
    return "; ".join("%s%s %s" % (
        show(ranges[:5]),
        " and %d more" % (len(ranges) - 5) if len(ranges) > 5 else "", reason)
        for reason, ranges in reasons.items()) or "nothing"


def check_unreadable(tap, run, image, unreadable):
    """What could not be read: (start, end, reason).

    It is named with its reason, nothing else is, and there are zeros for it
    or nothing at all.
    """
    said = {}
    for start, end, reason in UNREADABLE.findall(run.stderr):
        said.setdefault(reason, []).append((int(start, 16), int(end, 16)))
    want = {}
    for start, end, reason in unreadable:
        want.setdefault(reason, []).append((start, end))
    said = {reason: merge(ranges) for reason, ranges in said.items()}
    want = {reason: merge(ranges) for reason, ranges in want.items()}
    tap.check(said == want, "%s: named as unreadable: %s" % (
        run.name, brief(want)), "said: " + brief(said))
    held = [at for start, end, _ in unreadable
            for at in range(start, end, PAGE)
            if image.page(at) not in (None, bytes(PAGE))]
    if unreadable:
        tap.check(not held, "%s: zeros in their place" % run.name,
                  " ".join("0x%x" % at for at in held[:5]))


def check_summary(tap, run, guest, image, left_out, unreadable):
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
            image.size, size(left_out),
            sum(end - start for start, end, _ in unreadable)]
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


def check_image(tap, run, guest, kind="v1", source="/proc/kcore",
                unreadable=(), warnings=()):
    """A whole acquisition that went well, but for what is unreadable.

    That is (start, end, reason); warnings are those that must be there.
    """
    unreadable = list(unreadable)
    if source.endswith("kcore"):
        unreadable += [(start, end, NO_HEADER)
                       for start, end in guest.not_in_kcore]
    check_status(tap, run, 3 if unreadable else 0)
    image = open_image(tap, run, V1_FILE if kind == "v1" else V2_FILE)
    if not image:
        return None
    check_form(tap, run, image, kind)
    if kind == "v2":
        check_streams(tap, run, image)
    left_out = check_blocks(tap, run, guest, image)
    check_left_out(tap, run, guest, left_out, unreadable)
    check_planted(tap, run, guest, image, unreadable)
    check_text(tap, run, guest, image)
    check_said(tap, run, guest, source)
    check_no_warning(tap, run, warnings)
    check_unreadable(tap, run, image, unreadable)
    check_summary(tap, run, guest, image, left_out, unreadable)
    note_alike(tap, run, guest, image)
    return image


def check_refusal(tap, run, *words):
    """Exit 1, a message with all the words, and no file."""
    check_status(tap, run, 1)
    lacks = run.says("^error: ", *words)
    tap.check(not lacks,
              "%s: the error says %s" % (run.name, ", ".join(words)),
              "no %s in: %s" % (", ".join(lacks), run.stderr))
    check_nothing_left(tap, run)
    for line in run.stderr.splitlines():
        tap.note("%s: %s" % (run.name, line))


def check_nothing_left(tap, run):
    tap.check(not run.images(), "%s: no file left" % run.name,
              " ".join(run.images()))
