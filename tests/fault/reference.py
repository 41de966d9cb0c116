# SPDX-License-Identifier: MIT
"""The image of a run in which nothing failed, and what is a part of it."""

import os

import machine  # noqa: F401 (it shows the way to tests/lib)
import ranges as rng
import said
from image import MappedFile, Memory, is_same, records
from judge import check, compare


class Whole:
    """An image, and where one of its records or the whole of it ends."""

    def __init__(self, path, raw=False):
        self.image = MappedFile(path)
        self.borders = {0, len(self.image)}
        if not raw:
            self.borders |= {one.offset for one in records(self.image)}


class Reference:
    """What a scenario makes without a fault, proven good; said.Broken if not.

    `image` is None where a run makes none.
    """

    def __init__(self, scenario, run, kept, made):
        self.scenario = scenario
        self.status = run.status
        self.data = run.stdout
        self.path = kept
        self.image = None
        self.borders = {0}
        self.hidden = [(start, end) for start, end, _
                       in said.unreadable(run.said)]
        if scenario.kind == "text":
            return
        if scenario.to in ("pipe", "tcp", "net", "sent"):
            with open(kept, "wb") as file:
                file.write(run.stdout)
        elif os.path.exists(run.out):
            os.rename(run.out, kept)
        if not os.path.exists(kept):
            if self.status == 1:
                return
            raise said.Broken("reference: there is no image")
        raw = scenario.kind == "raw"
        whole = Whole(kept, raw)
        self.image, self.borders = whole.image, whole.borders
        if raw:
            self._check_raw(made)
        else:
            self._check(run, made)

    def _check(self, run, made):
        # A salvage has other records, and a failed run has not all.
        if self.scenario.args[0] == "acquire" or self.status == 0:
            check_memory(self.path, self.scenario, run, made)
        faults = check(self.image, keep_zeros=True, allow_long=True)
        if faults:
            raise said.Broken("reference: %s" % faults[0])

    def _check_raw(self, made):
        # What is whole are the records of what was read.
        for name in ("v1", "v2"):
            if any("{%s}" % name in arg for arg in self.scenario.args):
                for record in records(MappedFile(getattr(made, name))):
                    self.borders.update(end for _, end in rng.blocks(
                        record.start, record.end))
        memory = Memory(made.memory)
        if len(self.image) > made.wanted[-1][1]:
            raise said.Broken("reference: too long")
        for start, stop in self.image.data_runs(0, len(self.image)):
            for low, high in rng.blocks(start, stop):
                data = bytearray(memory.read(low, high))
                # What is not RAM is not in the image.
                for a, b in rng.subtract([(low, high)], made.wanted):
                    data[a - low:b - low] = bytes(b - a)
                if bytes(self.image[low:high]) != bytes(data):
                    raise said.Broken("reference: differs at %#x" % low)


def is_prefix(path, whole):
    """Whether a file is a beginning of an image; holes are zeros."""
    image = MappedFile(path)
    size = len(image)
    if size > len(whole.image):
        return False
    runs = list(image.data_runs(0, size))
    runs += [(start, min(end, size)) for start, end
             in whole.image.data_runs(0, size)]
    return all(is_same(image[start:end], whole.image[start:end])
               for start, end in rng.merge(runs))


def check_memory(path, scenario, run, made):
    """Zeros where memory is said to be unreadable, and nowhere else.

    Gives how many bytes that is.
    """
    named = said.unreadable(run.said)
    merged = rng.merge([(start, end) for start, end, _ in named])
    total = sum(end - start for start, end, _ in named)
    # Raw does not tell which of its zeros were no RAM.
    wanted = made.wanted
    if "--source-format=raw" in scenario.args:
        wanted = [(0, os.path.getsize(made.raw))]
    if sum(end - start for start, end in merged) != total:
        raise said.Broken("named as unreadable twice")
    if rng.subtract(merged, wanted):
        raise said.Broken("what is no RAM is named as unreadable")
    if any(start % rng.PAGE or end % rng.PAGE for start, end in merged):
        raise said.Broken("parts of pages are named as unreadable")
    counted = said.counted(run.said)
    if scenario.args[0] == "acquire" and counted != [total]:
        raise said.Broken("%s bytes unreadable, %d are named"
                          % (counted, total))
    left_out = [(start, end) for start, end, reason in named
                if reason == said.NOT_COVERED]
    compare(MappedFile(path), Memory(made.memory, merged),
            rng.subtract(wanted, left_out), "--keep-zeros" in scenario.args)
    return total
