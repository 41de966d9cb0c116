#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills avml at random moments, and salvages what it leaves.

  kill.py [--seed N] [--moments N] DIR COMMAND...

COMMAND is avml, with whatever has to stand in front of it.  DIR has memory
and iomem, and v1 and v2, the images of these.  An acquisition or conversion
to DIR/out is ended by SIGKILL when the file has reached some size, or after
some time.  What is left must be the beginning of the image, and convert
--salvage must have back from it all that is there.
"""

import argparse
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import salvaged  # noqa: E402
from reference import Whole, is_prefix  # noqa: E402
from image import MappedFile  # noqa: E402

LIMIT = 60
TRIES = 20

JOBS = [
    ("v1", ["--source", "{memory}", "--iomem", "{iomem}"]),
    ("v2", ["--source", "{memory}", "--iomem", "{iomem}", "--compress"]),
    ("v1", ["convert", "--format", "lime", "{v2}"]),
    ("v2", ["convert", "--format", "lime_compressed", "{v1}"]),
]


class Killer:
    def __init__(self, args):
        self.dir = args.dir
        self.command = args.command
        self.random = random.Random(args.seed)
        self.out = os.path.join(self.dir, "out")
        self.rest = os.path.join(self.dir, "rest")
        self.names = {name: os.path.join(self.dir, name)
                      for name in ("memory", "iomem", "v1", "v2")}
        self.whole = {kind: Whole(self.names[kind]) for kind in ("v1", "v2")}
        self.took = {}

    def begin(self, arguments):
        if os.path.exists(self.out):
            os.unlink(self.out)
        words = [word.format(**self.names) for word in arguments]
        return subprocess.Popen([*self.command, *words, self.out],
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def size(self):
        try:
            return os.stat(self.out).st_size
        except FileNotFoundError:
            return 0

    def kill_at_size(self, process, size):
        # Far less than it takes to write a block, and it is let write.
        while self.size() < size and process.poll() is None:
            time.sleep(0.0001)
        process.kill()
        return process.wait(LIMIT) < 0

    def kill_after(self, process, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.0005)
        process.kill()
        return process.wait(LIMIT) < 0

    def duration(self, index):
        """How long that job takes when it is let be."""
        if index not in self.took:
            began = time.monotonic()
            process = self.begin(JOBS[index][1])
            if process.wait(LIMIT) != 0:
                raise SystemExit("status %d without a kill: %s" % (
                    process.returncode, " ".join(process.args)))
            self.took[index] = time.monotonic() - began
        return self.took[index]

    def moment(self):
        """One that is killed in time: its kind, and how it is told."""
        for _ in range(TRIES):
            index = self.random.randrange(len(JOBS))
            kind, arguments = JOBS[index]
            more = ["--threads", str(self.random.randint(1, 3))]
            if self.random.random() < 0.3:
                more.append("--no-sparse")
            at = self.random.random()
            by_time = self.random.random() < 0.2
            limit = self.duration(index) if by_time else \
                int(len(self.whole[kind].image) * 0.95)
            process = self.begin([*arguments, *more])
            if by_time:
                killed = self.kill_after(process, at * limit)
            else:
                killed = self.kill_at_size(process, int(at * limit))
            if killed:
                return kind, " ".join(process.args[len(self.command):])
        raise SystemExit("it always ends before it can be killed")

    def check(self, kind):
        """What is wrong with what is left, or None."""
        if not os.path.exists(self.out):
            return None
        whole = self.whole[kind]
        size = self.size()
        if not is_prefix(self.out, whole):
            return "what is left is no beginning of the image"
        if os.path.exists(self.rest):
            os.unlink(self.rest)
        status = subprocess.run(
            [*self.command, "convert", "--salvage", self.out, self.rest],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            timeout=LIMIT).returncode
        rest = MappedFile(self.rest) if os.path.exists(self.rest) else None
        return salvaged.what_is_wrong(whole.image, whole.borders, size, status,
                                      rest, self.names["memory"])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("dir")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    killer = Killer(args)
    within = 0
    for number in range(args.moments):
        kind, told = killer.moment()
        wrong = killer.check(kind)
        if wrong:
            print("seed %d, moment %d, %d bytes of %s: %s" % (
                args.seed, number, killer.size(), told, wrong))
            return 1
        within += 0 < killer.size() and \
            killer.size() not in killer.whole[kind].borders
    print("seed %d: %d kills, %d of them within a record"
          % (args.seed, args.moments, within))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
