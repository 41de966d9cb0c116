#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What writing an image pushes out of the page cache, ours and dd's.

    bench/cache.py [--size MIB] --avml PATH --tools DIR --disk DIR [--tmpfs DIR]

A probe file of the size of the image is read, so that all of it is in the page
cache; then an image is written. How much of the probe is cached before and
after (mincore, by fincore), and how much of the image, looked at all the time,
is printed as a table.
It happens in a control group with room for the probe and a quarter more, as on
a machine whose memory is well used.
"""
import argparse
import os
import subprocess
import sys

MIB = 1 << 20


class Group:
    """A control group for memory, of version 1 or 2."""

    def __init__(self, limit):
        name = f"avml-bench.{os.getpid()}"
        for base, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                           ("/sys/fs/cgroup", "memory.max")):
            self.path = os.path.join(base, name)
            try:
                os.mkdir(self.path)
                # Only what the kernel has put there.
                with open(os.path.join(self.path, file), "r+") as out:
                    out.write(str(limit))
                return
            except OSError:
                self.remove()
        print("\nThe page cache was not looked at: there is no control group "
              "for memory, or no right to make one.")
        sys.exit(0)

    def start(self, *words):
        def enter():
            with open(os.path.join(self.path, "cgroup.procs"), "r+") as out:
                out.write(str(os.getpid()))

        return subprocess.Popen(words, preexec_fn=enter)

    def run(self, *words):
        if self.start(*words).wait() != 0:
            sys.exit(f"failed: {' '.join(words)}")

    def remove(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


def cached(path):
    out = subprocess.run(["fincore", "-b", "-n", "-o", "RES", path],
                         stdout=subprocess.PIPE, check=True).stdout
    return int(out) / MIB


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--avml", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--disk", required=True)
    parser.add_argument("--tmpfs", default="/dev/shm")
    args = parser.parse_args()
    places = [os.path.join(at, f"avml-cache.{os.getpid()}")
              for at in (args.tmpfs, args.disk)]
    group = None
    try:
        for place in places:
            os.mkdir(place)
        memory = os.path.join(places[0], "memory")
        probe, image = (os.path.join(places[1], n) for n in ("probe", "image"))
        subprocess.run([os.path.join(args.tools, "input"), "random",
                        str(args.size), memory], check=True)
        with open(memory + ".iomem", "w") as iomem:
            iomem.write(f"00000000-{args.size * MIB - 1:08x} : System RAM\n")
        dd = ["dd", "bs=256k", "status=none"]
        subprocess.run([*dd, f"if={memory}", f"of={probe}", "conv=fsync"],
                       check=True)
        group = Group(args.size * MIB // 4 * 5)
        print("\n## The page cache, while an image is written to a disk\n")
        print("| written by | probe cached before MiB | after MiB "
              "| image cached at most MiB | after MiB |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name, command in (
            ("avml", [args.avml, "--source", memory, "--iomem",
                      memory + ".iomem", "--quiet", image]),
            ("dd bs=256k", [*dd, f"if={memory}", f"of={image}", "conv=fsync"]),
        ):
            # Anew, and once, as most files are: what is charged to the group
            # is what it reads itself.
            subprocess.run([*dd, f"if={probe}", "iflag=nocache", "count=0",
                            "of=/dev/null"], check=True)
            group.run(*dd, f"if={probe}", "of=/dev/null")
            before = cached(probe)
            running = group.start(*command)
            peak = 0
            while running.poll() is None:
                if os.path.exists(image):
                    peak = max(peak, cached(image))
            if running.returncode != 0:
                sys.exit(f"failed: {name}")
            print(f"| {name} | {before:,.0f} | {cached(probe):,.0f} "
                  f"| {peak:,.0f} | {cached(image):,.0f} |")
            os.remove(image)
    finally:
        for place in places:
            subprocess.run(["rm", "-rf", place], check=False)
        if group:
            group.remove()


main()
