# SPDX-License-Identifier: MIT
"""Memory that has to be handled with care, and memory that comes and goes
(cases_faults.sh)."""

import os

from acquired import PAGE
from guest import FOUR_GIB, intersect, merge, show, size, subtract
from judge_sources import BPF, CRASH, check_crash, check_none_works
from judging import case, check_image

OFFLINE = "offline (kpageflags)"
KPF_OFFLINE = 23
NO_PAGE = "no page (kpageflags)"
LATE = "it was plugged in after the run had begun"


def check_there(tap, run, guest, kind):
    """The oracle: the pages are there, for one who would read them."""
    pages = guest.odd(kind)
    there = sum(guest.ram_page(at) == page for at, page in pages.items())
    tap.check(there == len(pages) and pages,
              "%s: the hypervisor's RAM has the %s pages: %d of %d"
              % (run.name, kind, there, len(pages)))
    return pages


# --- pages that the kernel marks ---------------------------------------------

def check_corrupted(tap, run, guest):
    check_there(tap, run, guest, "poisoned")
    with open(os.path.join(guest.path, "corrupted"),
              encoding="ascii") as file:
        said = file.read().split()
    tap.check(said[1:2] == ["%d" % (len(guest.odd("poisoned")) * PAGE >> 10)],
              "%s: the kernel counts the poisoned pages" % run.name,
              " ".join(said))


@case
def poisoned(tap, run, guest):
    check_corrupted(tap, run, guest)
    check_image(tap, run, guest, unreadable=guest.poisoned())


@case
def poisoned_crash(tap, run, guest):
    check_corrupted(tap, run, guest)
    _, counts = check_crash(tap, run, guest,
                            unreadable=guest.poisoned() + guest.secret())
    tap.check(counts["touched"] == 0,
              "poisoned_crash: the driver was asked for none of them",
              "%d times" % counts["touched"])


def marked_offline(run, guest):
    """The frames with this mark, by the kernel's table; RAM alone."""
    with open(os.path.join(run.dir, "kpageflags"), "rb") as file:
        flags = memoryview(file.read()).cast("Q")
    return merge((at, at + PAGE) for start, end in guest.ranges
                 for at in range(start, end, PAGE)
                 if flags[at // PAGE] >> KPF_OFFLINE & 1)


@case
def ballooned(tap, run, guest):
    taken = marked_offline(run, guest)
    low, high = (intersect(taken, [side]) for side in (
        (0, FOUR_GIB), (FOUR_GIB, 1 << 56)))
    tap.check(size(taken) >= 16 << 20 and size(low + high) == size(taken),
              "ballooned: the host has taken %d bytes below 4 GiB, %d above, "
              "in %d ranges" % (size(low), size(high), len(taken)))
    check_image(tap, run, guest, unreadable=[
        (start, end, OFFLINE) for start, end in taken])


@case
def unmarked(tap, run, _guest):
    words = ("must not be touched", "HardwareCorrupted", "kpageflags")
    check_none_works(tap, run, (CRASH, "No such file"),
                     ("/proc/kcore", *words), ("/dev/mem", *words),
                     (BPF, "must not be touched", "kpageflags"))


@case
def unmarked_said(tap, run, guest):
    check_image(tap, run, guest, warnings=["kpageflags cannot be read"])


@case
def secret(tap, run, guest):
    pages = check_there(tap, run, guest, "secret")
    image = check_image(tap, run, guest)
    if not image:
        return
    held = [image.page(at) for at in pages]
    zero = held.count(bytes(PAGE)) + held.count(None)
    tap.check(zero == len(pages),
              "secret: kcore gives zeros for the secret pages: %d of %d"
              % (zero, len(pages)))


@case
def secret_crash(tap, run, guest):
    check_there(tap, run, guest, "secret")
    check_crash(tap, run, guest, unreadable=guest.secret())


# --- memory that comes and goes ----------------------------------------------

def device_ram(tap, run, guest, other):
    """RAM of these facts that the others do not have: 128 MiB."""
    ram = subtract(guest.whole, other.whole)
    tap.check(size(ram) == 128 << 20,
              "%s: RAM of a device: %s" % (run.name, show(ram)))
    return ram


@case
def offline(tap, run, guest):
    ram = device_ram(tap, run, guest, guest.of_boot())
    check_crash(tap, run, guest.without_kcore(), unreadable=[
        (start, end, NO_PAGE) for start, end in ram])


@case
def offline_kcore(tap, run, guest):
    ram = device_ram(tap, run, guest, guest.of_boot())
    tap.check(guest.not_in_kcore == ram,
              "offline_kcore: it is in no program header of kcore",
              show(guest.not_in_kcore))
    check_image(tap, run, guest)


def check_meanwhile(tap, run, what, before, after):
    with open(os.path.join(run.dir, "meanwhile"), encoding="utf-8") as file:
        now = before.of_text(file.read())
    tap.check(now.whole == after.whole, "%s: %s during the run"
              % (run.name, what), show(now.whole))


@case
def gone(tap, run, guest):
    ram = device_ram(tap, run, guest, guest.of_boot())
    check_meanwhile(tap, run, "RAM went", guest, guest.of_boot())
    tap.check(intersect(ram, guest.kcore) == ram,
              "gone: kcore had it at the beginning", show(guest.kcore))
    check_image(tap, run, guest, unreadable=[
        (start, end, NO_PAGE) for start, end in ram],
        warnings=["0x%016x-0x%016x %s" % (ram[0] + (words,)) for words in (
            "was RAM when the run began and is not any more",
            "went out of the program headers of kcore during the run")])


@case
def plugged(tap, run, guest):
    with open(os.path.join(run.dir, "meanwhile"), encoding="utf-8") as file:
        later = guest.of_text(file.read())
    ram = device_ram(tap, run, later, guest)
    check_image(tap, run, guest, unreadable=guest.poisoned() + [
        (start, end, LATE) for start, end in ram])
