#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures acquisitions and conversions, and holds them against their parts.

    bench/run.py [--size MIB] [--runs N] [--only WORD] --avml PATH
                 [--other PATH] --tools DIR --disk DIR [--tmpfs DIR]

Inputs are made here, by DIR/input, the same each time. Every case is run N
times, in turn with all the others, and medians are taken. T is the sum of a
case's parts, each measured alone on one thread in the same run: reading and
writing by dd with bs=256k, libsnappy and CRC-32C over the chunks that are not
zero; of memory that is all zero, of which avml neither encodes nor decodes
anything, over all of them. Holes count as nothing written. What is read is in
memory, on tmpfs; what is written to a disk is there when the clock stops
(fsync), dd's too.

PATH is the binary that is measured, and another one that is held against it.
Prints tables in Markdown. Only files are read, never a machine's memory.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys

MIB = 1 << 20
KINDS = ("mixed", "zeros", "random")


class Bench:
    def __init__(self, args):
        self.args = args
        self.tools = args.tools
        self.times = {}  # name: [(seconds, cpu seconds, peak KiB)]
        self.parts = {}  # name: [seconds]
        self.jobs = []  # (name, callable), what one round consists of
        self.sizes = {}  # name: (bytes, bytes on disk)

    def tool(self, name, *words):
        command = [os.path.join(self.tools, name), *map(str, words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"failed: {' '.join(command)}")
        return [float(word) for word in done.stdout.split()]

    # --- commands and parts ------------------------------------------------

    def clear(self, out):
        """Room for `out`, out of pages that a hypervisor has not to find."""
        if os.path.exists(out):
            os.remove(out)
        warm = os.path.join(self.args.tmpfs, f"avml-bench.{os.getpid()}/warm")
        self.tool("parts", "run", "dd", "if=/dev/zero", f"of={warm}", "bs=256k",
                  f"count={(self.args.size << 20) >> 18}", "status=none")
        os.remove(warm)

    def command(self, name, out, *words):
        """A command that is measured, and what it writes."""

        def once():
            if out:
                self.clear(out)
            got = self.tool("parts", "run", *words)
            self.times.setdefault(name, []).append(got)
            if out:
                stat = os.stat(out)
                self.sizes[name] = (stat.st_size, stat.st_blocks * 512)
                os.remove(out)

        self.jobs.append((name, once))

    def part(self, name, *words):
        if name in self.parts:
            return name
        self.parts[name] = []

        def once():
            self.parts[name].append(self.tool("parts", *words)[0])

        self.jobs.append((name, once))
        return name

    def dd_read(self, path):
        return self.part(f"read {path}", "run", "dd", f"if={path}",
                         "of=/dev/null", "bs=256k", "status=none")

    def dd_write(self, path, size, disk):
        """`size` bytes to a new file; to a disk, until they are there."""
        name = f"write {size >> 18} {disk}"
        if name in self.parts:
            return name
        self.parts[name] = []

        def once():
            self.clear(path)
            self.parts[name].append(self.tool(
                "parts", "run", "dd", "if=/dev/zero", f"of={path}", "bs=256k",
                f"count={size >> 18}", "status=none",
                *(["conv=fsync"] if disk else []))[0])
            os.remove(path)

        self.jobs.append((name, once))
        return name

    def rounds(self):
        for number in range(self.args.runs):
            # In another order each time, and the same in every run of this.
            jobs = list(self.jobs)
            random.Random(number).shuffle(jobs)
            for name, once in jobs:
                if self.args.only and self.args.only not in name and \
                        name not in self.parts:
                    continue
                print(f"\r{number + 1}/{self.args.runs} {name[:60]:60}", end="",
                      file=sys.stderr, flush=True)
                once()
        print(file=sys.stderr)

    def median(self, name):
        """Of times; of memory, the most that a run took."""
        runs = self.times[name]
        return [*(statistics.median(run[i] for run in runs) for i in range(2)),
                max(run[2] for run in runs)]

    def total(self, parts):
        return sum(statistics.median(self.parts[p]) for p in parts)


def quietly(*words):
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.stderr}")


def acquiring(memory, *words):
    """Options that read a made-up file, and nothing else."""
    return ["--source", memory, "--iomem", memory + ".iomem", "--quiet", *words]


class Cases:
    """The cases of one input in one place, on disk or in memory."""

    def __init__(self, bench, kind, inputs, outputs, disk):
        self.bench = bench
        self.kind = kind
        self.disk = disk
        self.where = "disk" if disk else "tmpfs"
        self.base = os.path.join(inputs, kind)
        self.memory = self.base + ".memory"
        self.written = {}  # by format: what is not a hole, in bytes
        self.out = os.path.join(outputs, kind + ".out")
        self.rows = []  # (name, case, threads, parts)

    def path(self, suffix):
        return f"{self.base}.{suffix}"

    def prepare(self):
        avml = self.bench.args.avml
        if not os.path.exists(self.memory):
            self.make()
        for suffix, form in (("v1", "lime"), ("v2", "lime_compressed"),
                             ("raw", "raw")):
            trial = self.path("trial")
            quietly(avml, "convert", "--format", form,
                    self.path("v1" if suffix == "v2" else "v2"), trial)
            self.written[suffix] = os.stat(trial).st_blocks * 512
            os.remove(trial)

    def make(self):
        avml = self.bench.args.avml
        size = self.bench.args.size
        self.bench.tool("input", self.kind, size, self.memory)
        with open(self.memory + ".iomem", "w") as iomem:
            iomem.write(f"00000000-{size * MIB - 1:08x} : System RAM\n")
        keep = ["--keep-zeros"] if self.kind == "zeros" else []
        quietly(avml, *acquiring(self.memory, "--no-sparse", *keep),
                self.path("v1"))
        quietly(avml, *acquiring(self.memory, "--compress", *keep),
                self.path("v2"))

    def add(self, threads):
        b, avml = self.bench, self.bench.args.avml
        v1, v2, out = self.path("v1"), self.path("v2"), self.out
        acquire = acquiring(self.memory, "--threads", str(threads))
        convert = ["convert", "--quiet", "--threads", str(threads)]
        encode = [b.part(f"{p} {self.kind}", p, self.memory)
                  for p in ("compress", "crc")]
        decode = [b.part(f"expand {self.kind}", "expand", v2), encode[1]]
        if self.kind == "zeros":
            # Blocks of zeros are not encoded, but an image may hold them.
            encode = []
            decode = [b.part("expand all zeros", "expand", v2, "zeros"),
                      b.part("crc all zeros", "crc", self.memory, "all")]
        write1, write2, write0 = (b.dd_write(out, self.written[form], self.disk)
                                  for form in ("v1", "v2", "raw"))
        read = b.dd_read(self.memory)
        read1, read2 = b.dd_read(v1), b.dd_read(v2)
        for case, words, parts in (
            ("acquire v1", [*acquire, out], [read, write1]),
            ("acquire v2", [*acquire, "--compress", out],
             [read, *encode, write2]),
            ("v1 -> v2", [*convert, "--format", "lime_compressed", v1, out],
             [read1, *encode, write2]),
            ("v2 -> v1", [*convert, v2, out], [read2, *decode, write1]),
            ("v2 -> raw", [*convert, "--format", "raw", v2, out],
             [read2, *decode, write0]),
            ("verify v2", ["verify", "--quiet", "--threads", str(threads), v2],
             [read2, *decode]),
        ):
            name = f"{case} {self.kind} {self.where} {threads}"
            b.command(name, out if out in words else None, avml, *words)
            self.rows.append((name, case, threads, parts))

    def table(self):
        b = self.bench
        one = {}
        for name, case, threads, parts in self.rows:
            if name not in b.times:
                continue
            seconds, cpu, peak = b.median(name)
            t = b.total(parts)
            size, held = b.sizes.get(name, (0, 0))
            one.setdefault(case, seconds)
            print(f"| {case} | {self.kind} | {self.where} | {threads} "
                  f"| {b.args.size * MIB / seconds / 1e6:,.0f} | {seconds:.2f} "
                  f"| {cpu:.2f} | {peak:,.0f} | {size / MIB:,.0f} "
                  f"| {held / MIB:,.0f} | {t:.2f} | {seconds / t:.2f} "
                  f"| {seconds / one[case]:.2f} |")


def special(bench, mixed, zeros, other):
    """Figures that are no case of their own: (text, of, against)."""
    b, avml = bench, bench.args.avml
    out = mixed.out
    copy = f"copy {mixed.where}"
    b.command(copy, out, "dd", f"if={mixed.memory}", f"of={out}", "bs=256k",
              "status=none", *(["conv=fsync"] if mixed.disk else []))
    rows = [("acquire v1 mixed, against a copy by `dd bs=256k`",
             f"acquire v1 mixed {mixed.where} 1", copy)]
    if zeros:
        name = "v2 -> v1 of zeros to /dev/null"
        b.command(name, None, avml, "convert", "--quiet", "--threads", "1",
                  zeros.path("v2"), "/dev/null")
        snappy = b.part("expand all zeros", "expand", zeros.path("v2"), "zeros")
        rows.append((name + ", against libsnappy's expanding of them", name,
                     snappy))
        rows.append(("zero test, against a plain read of the same memory",
                     b.part("scan zeros", "scan", zeros.memory),
                     b.part("touch zeros", "touch", zeros.memory)))
    if other:
        name = "acquire v2 by the other build"
        b.command(name, out, other,
                  *acquiring(mixed.memory, "--threads", "1", "--compress"), out)
        rows.append(("acquire v2 mixed, static-minimal against dynamic",
                     f"acquire v2 mixed {mixed.where} 1", name))
    for build, words in (("static-minimal", avml), ("dynamic", other)):
        for form, option in (("v1", []), ("v2", ["--compress"])):
            if words:
                rows.append(digest(b, mixed, build, words, form, option))
    return rows


def digest(bench, mixed, build, avml, form, option):
    """With and without --digest, by as many threads as there are CPUs."""
    cpus = len(os.sched_getaffinity(0))
    words = acquiring(mixed.memory, "--threads", str(cpus), *option, mixed.out)
    names = [f"acquire {form} by {build}{more}" for more in ("", " --digest")]
    bench.command(names[0], mixed.out, avml, *words)
    bench.command(names[1], mixed.out, avml, *words, "--digest")

    def bound():
        without, cpu, _ = bench.median(names[0])
        return without + (bench.median(names[1])[1] - cpu) / cpus

    return (f"acquire {form} --digest mixed, {cpus} threads, {build}, against "
            "without and the digest's CPU time / processors", names[1], bound)


def seconds_of(bench, name):
    if callable(name):
        return name()
    if name in bench.parts:
        return bench.total([name])
    return bench.median(name)[0]


def header(args, cpus):
    """What was measured, and on what."""
    version = subprocess.run([args.avml, "--version", "--verbose"],
                             stdout=subprocess.PIPE, text=True).stdout
    lines = version.split("\n")
    build = next(line for line in lines if line.startswith("build: "))
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info
                      if line.startswith("model name")), os.uname().machine)
    print("# What avml costs\n\nMade by `make -s bench "
          f"BENCH=\"--size {args.size} --runs {args.runs}\" > "
          "bench/RESULTS.md`; see CONTRIBUTING.md for what it means.\n")
    print(f"- {lines[0]}, {build[7:]}, {lines[1]}")
    print(f"- {model}, {cpus} processors, Linux {os.uname().release}")
    print(f"- {args.size} MiB of memory a case, medians of {args.runs} runs\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--avml", required=True)
    parser.add_argument("--other")
    parser.add_argument("--tools", required=True)
    parser.add_argument("--disk", required=True)
    parser.add_argument("--tmpfs", default="/dev/shm")
    args = parser.parse_args()
    bench = Bench(args)
    cpus = len(os.sched_getaffinity(0))
    made = []
    places = [os.path.join(args.tmpfs, f"avml-bench.{os.getpid()}"),
              os.path.join(args.disk, f"avml-bench.{os.getpid()}")]
    try:
        for place in places:
            os.mkdir(place)
        for place, disk in ((places[0], False), (places[1], True)):
            for kind in KINDS if not disk else KINDS[:1]:
                cases = Cases(bench, kind, places[0], place, disk)
                cases.prepare()
                for threads in dict.fromkeys((1, cpus)):
                    cases.add(threads)
                made.append(cases)
        rows = special(bench, made[0], made[1], args.other)
        bench.rounds()
        header(args, cpus)
        print("| case | memory | to | threads | MB/s | s | CPU s | VmHWM KiB "
              "| image MiB | on disk MiB | T s | s / T | s / s of 1 thread |")
        print("| --- | --- | --- |" + " ---: |" * 10)
        for cases in made:
            cases.table()
        print("\n| | s | against | ratio |\n| --- | ---: | ---: | ---: |")
        for text, of, against in rows:
            if args.only:
                continue
            a, b = seconds_of(bench, of), seconds_of(bench, against)
            print(f"| {text} | {a:.3f} | {b:.3f} | {a / b:.2f} |")
    finally:
        for place in places:
            subprocess.run(["rm", "-rf", place], check=False)


main()
