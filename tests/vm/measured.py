# SPDX-License-Identifier: MIT
"""What the guest measured (measure.sh)."""

import os
import statistics

MIB = 1 << 20
# Of an image, at any time: what is being written and on its way to the disk.
OWN_MAX = 40 * MIB


def lines(guest_dir, name):
    path = os.path.join(guest_dir, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        return [line.split() for line in file]


def note_kcore(tap, guest_dir):
    """For information: times under emulation swing with the host's load."""
    times = {}
    for name, value in lines(guest_dir, "kcore_times"):
        times.setdefault(name, []).append(float(value))
    if not times:
        return
    size = times.pop("bytes")[0]
    medians = {name: statistics.median(all_) for name, all_ in times.items()}
    for name, seconds in medians.items():
        tap.rates.append("kcore by %s: %.2f s, %.0f MiB/s" % (
            name, seconds, size / MIB / max(seconds, 0.01)))
    for name in sorted({"dd_1M", "dd_4k"} & set(medians)):
        tap.rates.append("kcore: avml takes %.2f of the time of %s" % (
            medians["avml"] / max(medians[name], 0.01), name))


def note_bpf(tap, guest_dir):
    """For information too."""
    times = {}
    for name, value in lines(guest_dir, "bpf_times"):
        times.setdefault(name, []).append(float(value))
    if set(times) == {"bpf", "kcore"}:
        bpf, kcore = (statistics.median(times[name])
                      for name in ("bpf", "kcore"))
        tap.rates.append("bpf: %.2f s, kcore: %.2f s, so %.1f times its rate"
                         % (bpf, kcore, kcore / max(bpf, 0.01)))
    return set(times)


def check_cache(tap, guest_dir):
    """An image leaves others' pages in the cache, and has few of its own.

    A copy by dd has more, or nothing was seen.
    """
    for by, before, after, own in lines(guest_dir, "cache"):
        before, after, own = int(before), int(after), int(own)
        text = ("of %d MiB of a file in the page cache %d are left, and at most "
                "%d of the image were in it" % (before / MIB, after / MIB, own / MIB))
        if by == "avml":
            tap.check(before and after >= 0.95 * before and own <= OWN_MAX,
                      "cache: an image was written: " + text)
        else:
            tap.check(own > OWN_MAX, "cache: an image written by dd is seen",
                      text)
            tap.rates.append("cache: an image was written by %s: %s"
                             % (by, text))


def judge(tap, guest_dir, boot):
    note_kcore(tap, guest_dir)
    check_cache(tap, guest_dir)
    names = note_bpf(tap, guest_dir)
    if boot == "bpf":
        tap.check(names == {"bpf", "kcore"}, "bpf: it was measured",
                  "%s" % names)
    if boot == "main":
        names = {words[0] for words in lines(guest_dir, "kcore_times")}
        tap.check(names == {"bytes", "avml", "dd_1M", "dd_4k"},
                  "kcore: it was measured", "%s" % sorted(names))
        names = [words[0] for words in lines(guest_dir, "cache")]
        tap.check(names == ["avml", "dd"], "cache: it was looked at",
                  "by %s" % names)
