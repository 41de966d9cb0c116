#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes every call of libc fail, one by one, and sees that avml copes.

  run.py [--quick | --after-quick] [--only NAME]... BUILD
  run.py --again SCENARIO/THREADS FAULT BUILD

BUILD is a build directory with the sanitizers, which has tests/avml-fault.
Small acquisitions and conversions (scenarios.py) are run once as they are,
to see which calls they make; then again for each call, each time it is made,
and each kind of failure (calls), with that one fault.  Most of these runs are
forked of a program that is loaded once (server.py); --again has a process of its
own.  What is promised for each run is in promises.py.  Prints a table, each
broken promise with the command that repeats it, and at the end "N passed, N
failed".
"""

import argparse
import concurrent.futures
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

import plan  # noqa: E402
from machine import Machine  # noqa: E402
from one_run import Run  # noqa: E402
from receiver import Receiver, make_certificate  # noqa: E402
from promises import judge  # noqa: E402
from reference import Reference  # noqa: E402
from said import Broken  # noqa: E402
from image import ImageError  # noqa: E402
from snappy import SnappyError  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

JOBS = len(os.sched_getaffinity(0))
SHOWN = 8   # broken promises of a kind are told in full
HANGS = 6   # after so many that do not end, nothing more is tried
CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


class Variant:
    """A scenario with its number of threads, once seen without a fault."""

    def __init__(self, harness, scenario, threads):
        self.harness = harness
        self.scenario = scenario
        self.threads = threads
        self.name = "%s/%d" % (scenario.name, threads)
        self.local = threading.local()
        self.servers = []
        run = harness.new_run(scenario, threads).go(AVML_FAULT_COUNT="1")
        if run.status != scenario.status:
            raise Broken("status %s without a fault: %s"
                         % (run.status, run.said))
        self.log = plan.Log(run.lines, threads)
        kept = os.path.join(harness.root, "whole." + scenario.name)
        try:
            self.reference = Reference(scenario, run, kept, harness.machine)
        except (ImageError, SnappyError) as error:
            raise Broken("without a fault: %s" % error) from error

    def _server(self, run):
        """This thread's; None where each run has a command line of its own."""
        if self.harness.again or self.scenario.to in ("net", "sent", "tcp"):
            return None
        if not hasattr(self.local, "server"):
            self.local.server = run.serve()
            self.servers.append(self.local.server)
        return self.local.server

    def close(self):
        """Those that inject() has begun."""
        for server in self.servers:
            server.close()

    def inject(self, fault):
        """(verdict, what is wrong, the run) of one fault."""
        if self.harness.hangs >= HANGS:
            raise Broken("too many runs do not end")
        run = self.harness.new_run(self.scenario, self.threads)
        run.go(self._server(run), AVML_FAULT=fault.environment())
        run.expect(fault, self.log)
        try:
            verdict = judge(run, self.scenario, self.reference,
                            self.harness.machine)
            if self.harness.machine.state() != self.harness.state:
                raise Broken("a source was changed")
        except Broken as broken:
            return "broken", str(broken), run
        if not run.hit_calls and verdict != "survived":
            return "broken", "no fault, but %s" % verdict, run
        return verdict if run.hit_calls else "missed", "", run


class Harness:
    def __init__(self, args, root):
        self.build = args.build
        self.quick = args.quick
        self.again = bool(args.again)
        self.root = root
        self.binary = os.path.abspath(
            os.path.join(args.build, "tests", "avml-fault"))
        self.calls = plan.read_calls()
        self.machine = None
        self.receiver = Receiver()
        self.certificate = make_certificate(root)
        self.keys = itertools.count()
        self.local = threading.local()
        self.dirs = self.hangs = 0
        self.lock = threading.Lock()

    def new_key(self):
        """A name that no other run sends to."""
        with self.lock:
            return "run%d" % next(self.keys)

    def new_run(self, scenario, threads):
        # A directory for each of those that run at the same time.
        if not hasattr(self.local, "dir"):
            with self.lock:
                self.dirs += 1
                self.local.dir = os.path.join(self.root, "run%d" % self.dirs)
        return Run(self, scenario, threads, self.local.dir)

    def prepare(self):
        root = os.path.join(self.root, "machine")
        os.mkdir(root)
        self.machine = Machine(root)
        # What is converted is what was acquired, and has been proven.
        by_name = {one.name: one for one in SCENARIOS}
        images = []
        for name in ("acquire", "acquire-compress"):
            with open(Variant(self, by_name[name], 1).reference.path,
                      "rb") as file:
                images.append(file.read())
        self.machine.add_images(*images)
        self.state = self.machine.state()
        self.digest = self.machine.digest()

    def variants(self, only):
        """(scenario, threads) of this run."""
        for scenario in SCENARIOS:
            if only and scenario.name not in only:
                continue
            if self.quick and not scenario.quick and not only:
                continue
            for count in scenario.threads:
                yield scenario, count


class Table:
    """call x kind, and how often each verdict was given."""

    COLUMNS = ("injected", "survived", "partial", "failed", "killed",
               "broken")

    def __init__(self):
        self.rows = {}
        self.missed = 0

    def add(self, fault, verdict):
        if verdict == "missed":
            self.missed += 1
            return
        row = self.rows.setdefault(fault.title,
                                   dict.fromkeys(self.COLUMNS, 0))
        row["injected"] += 1
        row[verdict] += 1

    def total(self, column):
        return sum(row[column] for row in self.rows.values())

    def print(self):
        form = "%-26s %-26s" + " %9s" * len(self.COLUMNS)
        print(form % ("call", "kind", *self.COLUMNS))
        for (call, kind), row in self.rows.items():
            print(form % (call, kind, *(row[c] for c in self.COLUMNS)))
        print(form % ("all", "",
                      *(self.total(c) for c in self.COLUMNS)))


def command_again(args, variant, fault):
    return "tests/fault/run.py --again %s '%s' %s" % (variant.name, fault,
                                                      args.build)


class Sweep:
    """All faults of all scenarios."""

    def __init__(self, args, harness):
        self.args = args
        self.harness = harness
        self.table = Table()
        self.broken = []      # promises, as texts
        self.reached = set()  # calls
        self.left_out = 0
        self.seen = plan.Seen()
        self.tried = plan.Tried(args.build)
        if args.after_quick:
            self.tried.load()
            self.reached |= self.tried.reached

    def all(self):
        for scenario, threads in self.harness.variants(self.args.only):
            try:
                self._one(Variant(self.harness, scenario, threads))
            except Broken as broken:
                self.broken.append("%s/%d: %s" % (scenario.name, threads,
                                                  broken))
            if self.harness.hangs >= HANGS:
                break
        if self.harness.machine.digest() != self.harness.digest:
            self.broken.append("a source was changed")

    def _one(self, variant):
        began = time.monotonic()
        calls = self.harness.calls
        faults, left_out = plan.quick_faults(calls, variant, self.seen) \
            if self.args.quick else plan.faults(calls, variant)
        if self.args.after_quick:
            faults = [fault for fault in faults
                      if not self.tried.has(variant, fault)]
        self.left_out += left_out
        self.reached |= variant.log.counts.keys()
        with contextlib.closing(variant), \
                concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for fault, (verdict, why, run) in zip(
                    faults, pool.map(variant.inject, faults)):
                self.table.add(fault, verdict)
                # Some calls are made only when something has failed.
                self.reached.update(run.hit_calls)
                if self.args.quick and verdict not in ("broken", "missed"):
                    self.tried.add(variant, fault)
                if verdict == "broken":
                    self.broken.append("%s\n    %s" % (
                        why, command_again(self.args, variant, fault)))
        print("# %s: %d calls, %d faults, %d left out, %.1f s"
              % (variant.name, sum(variant.log.counts.values()),
                 len(faults), left_out, time.monotonic() - began),
              flush=True)


def check_calls(args, harness, reached):
    """Calls that the table lacks; calls that no scenario makes."""
    faults, used = plan.unknown_calls(args.build, harness.calls)
    if not args.quick and not args.only:
        unmade = used & harness.calls.kinds.keys() - reached
        faults += ["%s is made in no scenario" % call
                   for call in sorted(unmade - harness.calls.host)]
    return faults


def tell(broken):
    """The broken promises; of each kind the first ones."""
    counts = {}
    for text in broken:
        kind = text.split("\n", maxsplit=1)[0]
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= SHOWN:
            print("not ok: " + text)
    for kind, count in counts.items():
        if count > SHOWN:
            print("and %d more: %s" % (count - SHOWN, kind))


def run_all(args, harness):
    sweep = Sweep(args, harness)
    if args.quick:
        sweep.tried.forget()
    try:
        harness.prepare()
        sweep.all()
    except Broken as broken:
        sweep.broken.append(str(broken))
    table, broken = sweep.table, sweep.broken
    table.print()
    broken += check_calls(args, harness, sweep.reached)
    tell(broken)
    injected = table.total("injected")
    if args.quick and not args.only and not broken:
        sweep.tried.save(sweep.reached)
    if args.after_quick:
        print("tried by --quick already: %d" % len(sweep.tried.faults))
    print("left out of the sample: %d" % sweep.left_out)
    if table.missed:
        print("not made in a run of several threads: %d" % table.missed)
    print("faults: %d injected, %s" % (
        injected, "%d promises broken" % len(broken) if broken
        else "all promises held"))
    passed = injected - table.total("broken")
    print("%d passed, %d failed" % (passed, len(broken)))
    return 1 if broken or not passed else 0


def run_again(args, harness):
    """One fault, and all that is to be seen of it."""
    name, threads = args.again[0].split("/")
    fault = plan.parse_fault(args.again[1])
    scenario, = [one for one in SCENARIOS if one.name == name]
    harness.prepare()
    variant = Variant(harness, scenario, int(threads))
    verdict, why, run = variant.inject(fault)
    print("AVML_FAULT=%s %s" % (fault.environment(), " ".join(run.command())))
    print(run.said, end="")
    print("\n".join(run.lines))
    where = variant.log.order.get((fault.call, fault.number))
    if where is not None:
        site = variant.log.calls[where][1][variant.threads != 1:]
        subprocess.run(["addr2line", "-fspe", harness.binary, *(
            "%#x" % (int(at, 16) - 1) for at in site)], check=False)
    print("status %s: %s %s" % (run.status, verdict, why))
    return verdict == "broken"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true",
                       help="main scenarios; each place of a call, once")
    which.add_argument("--after-quick", action="store_true",
                       help="not what --quick has tried with this binary")
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    parser.add_argument("--again", nargs=2, metavar=("SCENARIO", "FAULT"))
    parser.add_argument("build")
    args = parser.parse_args()
    # As in tests/cli: a test can get at no memory of this machine.
    if os.getuid() == 0 and not os.environ.get("AVML_FAULT_DROPPED"):
        if subprocess.run([*CAPABILITIES, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0:
            os.environ["AVML_FAULT_DROPPED"] = "1"
            os.execvp(CAPABILITIES[0],
                      [*CAPABILITIES, sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="avml-fault.") as root:
        harness = Harness(args, os.path.realpath(root))
        return run_again(args, harness) if args.again \
            else run_all(args, harness)


if __name__ == "__main__":
    sys.exit(main())
