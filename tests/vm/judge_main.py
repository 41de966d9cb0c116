# SPDX-License-Identifier: MIT
"""Whole images, and what ends a run (cases_main.sh)."""

import os
import re

import acquired
from acquired import PAGE, Image
from guest import show
from judging import (V1_FILE, V2_FILE, case, check_blocks, check_form,
                     check_image, check_mode, check_no_warning, check_planted,
                     check_refusal, check_status, check_text, compare,
                     note_alike, note_rate, open_image)

MIB = 1 << 20


@case
def plain(tap, run, guest):
    check_image(tap, run, guest)
    check_mode(tap, run, V1_FILE)


@case
def threads1(tap, run, guest):
    check_image(tap, run, guest)


@case
def proc_threads2(tap, run, guest):
    check_image(tap, run, guest, source="/host/proc/kcore")


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


# --- conversions -------------------------------------------------------------

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
        first, *others = (image.page(address) for image in images)
        is_same = guest.is_same(address)
        same += first is not None and all(is_same(first, page)
                                          for page in others)
    tap.check(same == len(known) and known,
              "%s: planted and text pages on which %s agree: %d of %d"
              % (run.name, ", ".join(names), same, len(known)))


@case
def converted(tap, run, guest):
    check_conversion(tap, run, guest, "compressed")
    check_mode(tap, run, V1_FILE)
    check_agreement(tap, run, guest)


@case
def converted_by_name(tap, run, guest):
    check_conversion(tap, run, guest, "compressed_stream")


# --- what ends a run ---------------------------------------------------------

def check_stable(tap, run, guest, image):
    """For an image of low memory alone, where nothing can be planted.

    A page that is the same in all whole images, of which one is from between
    these cases, and at power-off was very likely the same all the time.
    """
    whole = [Image(run.path("../%s/%s" % (name, V1_FILE)))
             for name in ("plain", "threads1", "proc_threads2", "bundle")]
    zero = bytes(PAGE)
    same = total = 0
    for record in image.records:
        for at in range(record.start, record.end, PAGE):
            want = guest.ram_page(at)
            if want != zero and all(other.page(at) == want
                                    for other in whole):
                total += 1
                same += image.page(at) == want
    tap.check(total and same >= 0.98 * total,
              "%s: pages that never changed, not zero, are right: %d of %d"
              % (run.name, same, total))


def check_cut(tap, run, guest, status, *words):
    """A run that had to end: whole records, and right as far as they go."""
    check_status(tap, run, status)
    lacks = run.says("^error: ", *words)
    tap.check(not lacks,
              "%s: the error says %s" % (run.name, ", ".join(words)),
              "no %s in: %s" % (", ".join(lacks), run.stderr))
    if not tap.check(os.path.exists(run.path()),
                     "%s: a file is left" % run.name):
        return
    image = Image(run.path())
    check_form(tap, run, image)
    check_blocks(tap, run, guest, image)
    tap.check(any(image.page(at) is None for at in guest.planted),
              "%s: it ended before all was written" % run.name)
    check_stable(tap, run, guest, image)
    # The page is in a record or it is not: those that are must be right.
    known = dict(guest.planted)
    known.update((at, guest.ram_page(at)) for at in guest.text_pages())
    found, total, why = compare(image, known, "known pages",
                                lambda at: image.page(at) is not None,
                                guest.is_same)
    tap.check(found == total,
              "%s: planted and text pages in what is left: %d of %d"
              % (run.name, found, total), why)
    note_alike(tap, run, guest, image)


@case
def enospc(tap, run, guest):
    check_cut(tap, run, guest, 1, r"/small/out\.lime", "no space left")


def free_bytes(run, name):
    """What was free on the small disk, each time that it was looked at."""
    with open(os.path.join(run.dir, name), encoding="ascii") as file:
        lines = [line.split() for line in file]
    # The last line may be of a process that was stopped within it.
    return [int(line[0]) * int(line[1]) for line in lines if len(line) == 2]


@case
def min_free(tap, run, guest):
    check_cut(tap, run, guest, 1, r"/small/out\.lime", "--min-free")
    seen = free_bytes(run, "free")
    tap.check(len(seen) > 2 and max(seen) > min(seen) >= 10 * MIB,
              "min_free: 10 MiB were free whenever it was looked (%d times)"
              % len(seen), "from %d to %d" % (max(seen), min(seen)))
    after = free_bytes(run, "free_after")
    tap.check(after and after[0] >= 10 * MIB,
              "min_free: and at the end", "%s" % after)


@case
def min_free_refused(tap, run, _guest):
    check_refusal(tap, run, r"/small/out\.lime", "--min-free", "100 MiB")


@case
def no_fit(tap, run, _guest):
    check_refusal(tap, run, "cannot fit", "--force")


@case
def sigterm(tap, run, guest):
    check_cut(tap, run, guest, 143, "SIGTERM|terminated|signal")


# --- where the memory that is read would be written over ---------------------

@case
def tmpfs(tap, run, _guest):
    check_refusal(tap, run, "tmpfs", "--force")


@case
def tmpfs_root(tap, run, _guest):
    check_refusal(tap, run, "tmpfs|ramfs", "--force")


@case
def tmpfs_force(tap, run, guest):
    check_cut(tap, run, guest, 1, r"/tmpfs/out\.lime", "no space left")
