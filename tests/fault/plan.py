# SPDX-License-Identifier: MIT
"""Which faults there are, and which of them are tried."""

import errno
import os
import re
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))

# Of a call that is made more often, so many at the start, at the end, between.
MANY = 60
SAMPLE = 20
# Where not each time is tried: of each place the last one, and so many before.
FEW = 2
# Where the last one differs from the first that came from the same place.
ENDS = ("pread64", "pwritev64", "writev", "close")
# So many numbers of a call are tried in every way, where not all are.
FULL = 6
# What no scenario goes without: the last one, in the first two ways.
FINAL = (*ENDS, "fsync", "statvfs64", "fstatvfs64")
# What several threads do, or need; the rest is the same with one.
CONCURRENT = ("pread64", "pwritev64", "writev", "open64", "mmap64", "malloc",
              "calloc")
# Callers that make a place, where who called them is up to the scheduler.
INNER = 4

# Made to happen by nobody's fault: a run has to go on as if nothing were.
HARMLESS = ("EINTR", "EAGAIN", "half", "one")
FOREVER = 0


class TableError(Exception):
    pass


@dataclass
class Calls:
    """tests/fault/calls."""

    kinds: dict = field(default_factory=dict)  # of a call, in order
    pairs: list = field(default_factory=list)  # (call, kind, call, kind)
    known: set = field(default_factory=set)    # every name in the table
    wrapped: set = field(default_factory=set)  # by the linker
    host: set = field(default_factory=set)     # that no scenario makes


def read_calls(path=os.path.join(HERE, "calls")):
    calls = Calls()
    with open(path, encoding="ascii") as file:
        for line in file:
            verb, *words = line.split("#")[0].split() or [""]
            if verb == "wrap":
                calls.kinds[words[0]] = words[1:]
                for kind in words[1:]:
                    parse_kind(kind)
            elif verb == "pair":
                calls.pairs.append(tuple(words))
                continue
            elif verb == "host":
                calls.host.update(words)
                continue
            elif verb not in ("track", "exempt", ""):
                raise TableError("no such word: %s" % verb)
            if verb in ("wrap", "track"):
                calls.wrapped.add(words[0])
            calls.known.update(words if verb == "exempt" else words[:1])
    return calls


def parse_kind(kind):
    """EIO*3 is ("EIO", 3); EIO* goes on for ever."""
    match = re.match(r"^(\w+?)(\*(\d*))?$", kind)
    how, many, times = match.groups() if match else ("", None, None)
    if how not in ("half", "one", "zero", "fills", "kill") and \
            not hasattr(errno, how):
        raise TableError("no such kind: %s" % kind)
    return how, int(times or FOREVER) if many else 1


def part(call, number, kind):
    """One fault as fault.c wants it; fills is two of them."""
    how, times = parse_kind(kind)
    if how == "fills":
        return part(call, number, "half") + "," + \
            part(call, number + 1, "ENOSPC*")
    return "%s:%d:%s:%d" % (call, number, getattr(errno, how, how), times)


@dataclass
class Fault:
    """The number-th call fails like this; and perhaps a second one."""

    call: str
    number: int
    kind: str
    second: tuple = None  # (call, number, kind)

    def __str__(self):
        text = "%s:%d:%s" % (self.call, self.number, self.kind)
        return text + ("+%s:%d:%s" % self.second if self.second else "")

    def environment(self):
        text = part(self.call, self.number, self.kind)
        return text + ("," + part(*self.second) if self.second else "")

    @property
    def title(self):
        if self.second:
            return self.call, "%s+%s:%s" % (self.kind, self.second[0],
                                            self.second[2])
        return self.call, self.kind

    @property
    def harmless(self):
        """The kind, if it must change nothing."""
        how, _ = parse_kind(self.kind)
        if self.second:
            return None
        if how in HARMLESS or self.call.startswith("pthread_create"):
            return "%s of %s" % (how, self.call)
        return None

    @property
    def most_pages(self):
        """How many pages that many failed reads can cost; 0: any number."""
        how, times = parse_kind(self.kind)
        return times if self.call == "pread64" and how[0] == "E" else 0


def parse_fault(text):
    parts = [one.split(":") for one in text.split("+")]
    parts = [(call, int(number), kind) for call, number, kind in parts]
    return Fault(*parts[0], parts[1] if len(parts) > 1 else None)


class Log:
    """The calls of a run in which nothing failed, in order."""

    def __init__(self, lines, threads):
        self.calls = []
        for line in lines:
            word, *rest = line.split()
            if word == "call":
                site = rest[1:] if threads == 1 else \
                    [str(threads), *rest[1:INNER + 1]]
                self.calls.append((rest[0], tuple(site)))
        self.counts = {}
        self.sites = {}  # of a call: site -> its numbers
        self.order = {}  # (call, number) -> place in the run
        for place, (call, site) in enumerate(self.calls):
            number = self.counts[call] = self.counts.get(call, 0) + 1
            self.sites.setdefault(call, {}).setdefault(site, []).append(number)
            self.order[call, number] = place

    def begun(self, old):
        """The place of the call with which an old file is touched."""
        first = {"plain": "ftruncate64", "linked": "rename"}.get(old)
        return self.order.get((first, 1))

    def made_before(self, call, place):
        return sum(name == call for name, _ in self.calls[:place])


def spread(items, count):
    """So many of them, evenly."""
    return {items[i * len(items) // count] for i in range(count)} \
        if len(items) > count else set(items)


def every_number(log, call):
    count = log.counts.get(call, 0)
    chosen = set(range(1, count + 1))
    if count > MANY:
        chosen = set(range(1, SAMPLE + 1)) | \
            set(range(count - SAMPLE + 1, count + 1)) | \
            spread(range(SAMPLE + 1, count - SAMPLE + 1), SAMPLE)
    for made in log.sites.get(call, {}).values():
        chosen |= {made[0], made[-1]}
    return chosen


def few_numbers(log, call):
    chosen = set()
    for made in log.sites.get(call, {}).values():
        chosen |= {made[0], made[-1]} | spread(made, FEW)
    return chosen


class Seen:
    """The places that were tried, and how often each call."""

    def __init__(self):
        self.sites = set()
        self.tried = {}  # of a call: how many numbers

    def numbers(self, log, call):
        """Those from places that no scenario before had."""
        chosen = set()
        for site, made in log.sites.get(call, {}).items():
            if site in self.sites:
                continue
            self.sites.add(site)
            chosen.add(made[0])
            if call in ENDS:
                chosen.add(made[-1])
        return chosen

    def kinds(self, call, kinds):
        """All for the first ones, then half of them in turns."""
        turn = self.tried[call] = self.tried.get(call, 0) + 1
        return kinds if turn <= FULL else kinds[turn % 2::2]


def quick_faults(calls, variant, seen):
    """As faults(), of what is new in this scenario."""
    out, count = [], 0
    log = variant.log
    for call, kinds in kinds_for(calls, variant.scenario):
        chosen = seen.numbers(log, call)
        if variant.threads != 1 and call not in CONCURRENT and \
                not call.startswith("pthread"):
            chosen = set()
        for number in sorted(chosen):
            out += [Fault(call, number, kind)
                    for kind in seen.kinds(call, kinds)]
        last = log.counts.get(call, 0)
        if call in FINAL and last and last not in chosen:
            out += [Fault(call, last, kind) for kind in kinds[:2]]
        # An image whose reading fails where it might as well end.
        if call == "pread64" and variant.scenario.args[0] == "convert":
            out += [Fault(call, number, "EIO") for number
                    in range(1, last) if number not in chosen]
        count += log.counts.get(call, 0) * len(kinds)
    left_out = count - len(out)
    if variant.scenario.pairs and variant.threads == 1:
        out += pair_faults(calls, log)
    return out, left_out


def kinds_for(calls, scenario):
    for call, kinds in calls.kinds.items():
        if "--salvage" in scenario.args and call == "pread64":
            # What is salvaged of a shorter image may well be all of it.
            kinds = [kind for kind in kinds if kind != "zero"]
        yield call, kinds


def faults(calls, variant):
    """(faults, how many were left out) of one scenario."""
    out, count = [], 0
    log = variant.log
    each = variant.threads in variant.scenario.each
    seen = Seen()
    for call, kinds in kinds_for(calls, variant.scenario):
        count += log.counts.get(call, 0) * len(kinds)
        if each:
            out += [Fault(call, number, kind) for kind in kinds
                    for number in sorted(every_number(log, call))]
        else:
            out += [Fault(call, number, kind)
                    for number in sorted(few_numbers(log, call))
                    for kind in seen.kinds(call, kinds)]
    left_out = count - len(out)
    # In several threads what comes before the second one is not known.
    if variant.threads == 1 and variant.scenario.to != "pipe":
        out += pair_faults(calls, log)
    return out, left_out


def pair_faults(calls, log):
    """Two that fail in one run; the second begins where the first does."""
    for call, kind, other, other_kind in calls.pairs:
        if call not in log.counts:
            continue
        for number in sorted({1, log.counts[call]}):
            place = log.order[call, number]
            second = other, log.made_before(other, place) + 1, other_kind
            yield Fault(call, number, kind, second)


# ---- What an earlier run has tried ----------------------------------------

class Tried:
    """The faults of a --quick run that held, and the calls it has reached.

    Of one thread alone: only there a number is the same call each time.
    """

    def __init__(self, build):
        self.path = os.path.join(build, "tests", "faults-quick")
        self.made_of = [os.path.join(build, "tests", "avml-fault")]
        for where in (HERE, os.path.join(os.path.dirname(HERE), "lib")):
            self.made_of += [os.path.join(where, name)
                             for name in sorted(os.listdir(where))]
        self.faults = set()
        self.reached = set()

    def add(self, variant, fault):
        if variant.threads == 1:
            self.faults.add("%s %s" % (variant.name, fault))

    def has(self, variant, fault):
        return "%s %s" % (variant.name, fault) in self.faults

    def forget(self):
        if os.path.exists(self.path):
            os.unlink(self.path)

    def save(self, reached):
        with open(self.path, "w", encoding="ascii") as file:
            for name, lines in (("reached", reached), ("fault", self.faults)):
                file.writelines("%s %s\n" % (name, line)
                                for line in sorted(lines))

    def load(self):
        """Nothing of a run of another binary, or by another harness."""
        if not os.path.exists(self.path) or any(
                os.path.getmtime(path) >= os.path.getmtime(self.path)
                for path in self.made_of if os.path.isfile(path)):
            return
        with open(self.path, encoding="ascii") as file:
            for line in file:
                name, rest = line.rstrip("\n").split(" ", 1)
                (self.reached if name == "reached" else self.faults).add(rest)


# ---- What the objects call --------------------------------------------------

SANITIZERS = re.compile(r"^(__asan_|__ubsan_|__tsan_|__sanitizer_|"
                        r"_GLOBAL_OFFSET_TABLE_)")


def objects_of(build):
    for where, _, names in sorted(os.walk(os.path.join(build, "src"))):
        for name in sorted(names):
            if name.endswith(".o"):
                yield os.path.join(where, name)


def symbols(path):
    """(defined, undefined) names of an object."""
    said = subprocess.run(["nm", "-P", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    names = [line.split()[:2] for line in said.splitlines()]
    return ({name for name, kind in names if kind not in "Uw"},
            {name for name, kind in names if kind in "U"})


def unknown_calls(build, calls):
    """What the objects call from outside, and the table does not have."""
    defined, wanted = set(), {}
    for path in objects_of(build):
        own, needed = symbols(path)
        defined |= own
        for name in needed:
            wanted.setdefault(name, os.path.relpath(path, build))
    out = ["%s is called in %s: neither wrapped nor exempt" % (name, path)
           for name, path in sorted(wanted.items())
           if name not in defined | calls.known
           and not SANITIZERS.match(name)]
    if not wanted:
        out.append("no objects in %s" % build)
    # A name that the linker was not told of would never fail.
    linked, _ = symbols(os.path.join(build, "tests", "avml-fault"))
    for name in sorted(calls.wrapped & wanted.keys()):
        if "__wrap_" + name not in linked:
            out.append("%s is not wrapped in avml-fault" % name)
    return out, wanted.keys()
