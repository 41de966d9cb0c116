# SPDX-License-Identifier: MIT
"""One run of the binary."""

import os
import shutil
import subprocess

from promises import PRECIOUS, SANITIZER_STATUS
from receiver import Plain
from server import Server

# No run takes a second; what takes this long does not end at all.
LIMIT = 60


class Run:
    """One run of the binary, and what was seen of it."""

    def __init__(self, harness, scenario, threads, directory):
        self.harness = harness
        self.scenario = scenario
        self.threads = threads
        self.dir = directory
        self.out = os.path.join(directory, "out")
        self.report = directory + ".report"
        self.key = harness.new_key()
        self.url = "http://%s/%s" % (harness.receiver.address, self.key)
        self.plain = None
        self.harmless = self.lost_end = None
        self.before_image = self.killed = False
        self.most_pages = 0
        self.hit_calls = []
        self.unreturned = None

    def command(self):
        made = self.harness.machine
        address = self.plain.address if self.plain else ""
        args = [arg.format(out=self.out, url=self.url, tcp=address,
                           cert=self.harness.certificate, **vars(made))
                for arg in self.scenario.args]
        if self.threads and self.scenario.kind != "text":
            args.insert(1, "--threads=%d" % self.threads)
        return [self.harness.binary, *args]

    def _prepare(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir)
        if os.path.exists(self.report):
            os.unlink(self.report)
        if self.scenario.old:
            with open(self.out, "wb") as file:
                file.write(PRECIOUS)
        if self.scenario.old == "linked":
            os.link(self.out, os.path.join(self.dir, "other"))

    def _environment(self, more):
        # Symbols cost a second; --again has the time.
        words = "exitcode=%d:detect_leaks=1%s" % (
            SANITIZER_STATUS, "" if self.harness.again else ":symbolize=0")
        return {"PATH": os.environ["PATH"], "LC_ALL": "C",
                "ASAN_OPTIONS": words, "LSAN_OPTIONS": words,
                "UBSAN_OPTIONS": "halt_on_error=1:" + words,
                "AVML_FAULT_REPORT": self.report, **more}

    def go(self, server=None, **more):
        """By a server, or in a process of its own."""
        self._prepare()
        given = None
        if self.scenario.stdin:
            with open(getattr(self.harness.machine, self.scenario.stdin),
                      "rb") as file:
                given = file.read()
        if self.scenario.to == "tcp":
            self.plain = Plain(self.harness.certificate
                               if "tls" in self.scenario.args else None)
        stdout = open(self.out, "wb") if self.scenario.to == "fd" else None
        if server:
            self.status, self.stdout, said = server.run(
                self.dir, more["AVML_FAULT"], given, stdout, LIMIT)
        else:
            said = self._go_alone(given, stdout, more)
        if self.status is None:
            self.harness.hangs += 1
        if stdout:
            stdout.close()
        if self.scenario.to in ("net", "sent"):
            self.stdout = self.harness.receiver.take(self.key)
        if self.plain:
            self.stdout = self.plain.take()
        self.said = said.decode(errors="replace")
        self._read_report()
        return self

    def _go_alone(self, given, stdout, more):
        process = subprocess.Popen(
            self.command(), env=self._environment(more),
            stdout=stdout or subprocess.PIPE,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.dir)
        try:
            self.stdout, said = process.communicate(given, timeout=LIMIT)
            self.status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            self.stdout, said = process.communicate()
            self.status = None
        return said

    def serve(self):
        """A server of runs like this one."""
        return Server(self.command(), self._environment({}))

    def salvage(self, image, rest):
        """The exit status of a salvage."""
        return subprocess.run(
            [self.harness.binary, "convert", "--salvage", image, rest],
            env=self._environment({}), stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False,
            timeout=LIMIT).returncode

    def _read_report(self):
        self.lines = []
        self.image_hits = set()
        if not os.path.exists(self.report):
            return
        with open(self.report, encoding="ascii", errors="replace") as file:
            self.lines = file.read().splitlines()
        for line in self.lines:
            word, *rest = line.split()
            if word == "hit":
                self.hit_calls.append(rest[0])
                if rest[2:] == ["image"]:
                    self.image_hits.add(rest[0])
            elif word == "end":
                self.unreturned = [int(number) for number in rest]

    def expect(self, fault, log):
        """What the fault allows this run to be."""
        self.harmless = fault.harmless
        if not self.scenario.cascades:
            self.most_pages = fault.most_pages
        self.killed = fault.kind == "kill"
        for call in ("fsync", "close"):
            # Of a bundle's files, promises.py sees which are there.
            if call in self.image_hits and not fault.harmless and \
                    not self.scenario.bundle:
                self.lost_end = call
        # In one thread the calls come in the same order each time.
        begun = log.begun(self.scenario.old)
        place = log.order.get((fault.call, fault.number))
        if self.threads == 1 and begun is not None and not fault.second \
                and place is not None and "*" not in fault.kind:
            self.before_image = place <= begun
