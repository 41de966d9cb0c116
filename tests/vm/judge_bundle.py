# SPDX-License-Identifier: MIT
"""What a bundle is worth: types, symbols and an image that fit each other.

That is what a symbol file is made of, so here is done what a reader of one
does: from the address of a symbol and the offset of a member to what stands
there in the image.
"""

import hashlib
import json
import os
import re
import stat

from acquired import PAGE
from judging import case, check_image
# tests/lib, to which acquired has shown the way.
import btf

NAMES = """vmcoreinfo kallsyms btf cmdline version modules iomem os-release
    System.map vmlinuz""".split()
# Where x86-64 has the kernel's text and variables, by physical address 0.
KERNEL_MAP = 0xFFFFFFFF80000000
TASKS_MAX = 1000


class Bundle:
    """The files, and memory as they tell of it."""

    def __init__(self, run, image):
        self.image = image
        self.data = {}
        for name in NAMES:
            with open(run.path("bundle." + name), "rb") as file:
                self.data[name] = file.read()
        self.info = dict(line.split("=", 1) for line in self.text("vmcoreinfo")
                         .rstrip("\0").splitlines() if "=" in line)
        self.symbols = {}
        for line in self.text("kallsyms").splitlines():
            at, _, name = line.split()[:3]
            self.symbols.setdefault(name, int(at, 16))
        self.types = btf.read(self.data["btf"])

    def text(self, name):
        return self.data[name].decode("utf-8", "replace")

    def hex(self, key):
        return int(self.info[key], 16)

    def physical(self, address):
        if address >= KERNEL_MAP:
            return address - KERNEL_MAP + int(self.info["NUMBER(phys_base)"])
        base = self.symbols["page_offset_base"]
        if base < KERNEL_MAP:
            raise ValueError("page_offset_base is at %#x" % base)
        return address - self.word(base)

    def read(self, address, length):
        """Of the image, by a virtual address; not across two pages."""
        at = self.physical(address)
        page = self.image.page(at // PAGE * PAGE) or b""
        return page[at % PAGE:at % PAGE + length]

    def word(self, address):
        return int.from_bytes(self.read(address, 8), "little")

    def tasks(self):
        """The names of all processes: down the list that begins at init_task.
        """
        _, members = self.types.struct("task_struct")
        _, link = self.types.struct("list_head")
        first = self.symbols["init_task"]
        at, names = first, []
        while len(names) < TASKS_MAX:
            names.append(self.read(at + members["comm"], 16).split(b"\0")[0]
                         .decode("ascii", "replace"))
            at = self.word(at + members["tasks"] + link["next"]) \
                - members["tasks"]
            if at == first:
                return names
        return names + ["..."]


def check_files(tap, run, guest):
    wrong = []
    for name in NAMES:
        path = run.path("bundle." + name)
        if not os.path.exists(path):
            wrong.append("no " + name)
            continue
        with open(path, "rb") as file:
            data = file.read()
        told = re.search(r"^note: bundle: %s: (\d+) bytes of \S+, SHA-256 "
                         r"([0-9a-f]+)$" % re.escape(name), run.stderr, re.M)
        if not told or told.groups() != (
                str(len(data)), hashlib.sha256(data).hexdigest()):
            wrong.append("%s is not what was told" % name)
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode != 0o600:
            wrong.append("%s has mode %o" % (name, mode))
    return tap.check(not wrong, "%s: %d files, mode 0600, each with its digest"
                     % (run.name, len(NAMES)), "; ".join(wrong))


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check_report(tap, run, guest):
    """What the report says is of this kernel, these files and this image."""
    with open(run.path("report"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    header, summary = lines[0], lines[-1]
    said = {line["name"]: line["sha256"] for line in lines
            if line["type"] == "file"}
    files = {name: sha256(run.path("bundle." + name)) for name in NAMES}
    digest = sha256(run.path("out.lime"))
    records = [line for line in lines if line["type"] == "record"]
    wrong = []
    if header["host"]["kernel_release"] != guest.release:
        wrong.append("kernel %s" % header["host"]["kernel_release"])
    if not re.fullmatch("[0-9a-f-]{36}", header["host"]["boot_id"] or ""):
        wrong.append("boot id %s" % header["host"]["boot_id"])
    if not header["iomem"]["ranges"] or not any(
            s["primary"] for s in header["sources"]):
        wrong.append("no RAM, or no source")
    if said != files:
        wrong.append("digests of files")
    if summary["status"] != 0 or summary["sha256"] != digest:
        wrong.append("status %s, SHA-256 %s, not %s"
                     % (summary["status"], summary["sha256"], digest))
    if not records or any(not 0 < r["read_begin"] <= r["read_end"] <=
                          summary["seconds"] for r in records):
        wrong.append("times of %d records" % len(records))
    with open(run.path("out.lime.sha256"), encoding="ascii") as file:
        if file.read() != digest + "  out.lime\n":
            wrong.append("out.lime.sha256")
    tap.check(not wrong, "%s: the report tells of this boot, %d records with "
              "their times, and digests of files and image"
              % (run.name, len(records)), "; ".join(wrong))


def check_texts(tap, run, guest, bundle):
    """That they are of this kernel, and of this boot."""
    release = guest.release
    tap.check(bundle.info.get("OSRELEASE") == release
              and "Linux version %s " % release in bundle.text("version"),
              "%s: vmcoreinfo and version are of %s" % (run.name, release),
              "%s; %s" % (bundle.info.get("OSRELEASE"),
                          bundle.text("version")[:80]))
    for name in ("cmdline", "iomem"):
        with open(os.path.join(guest.path, name), "rb") as file:
            tap.check(file.read() == bundle.data[name],
                      "%s: %s is the guest's" % (run.name, name))


def check_symbols(tap, run, bundle):
    wanted = ["_stext", "init_task", "linux_banner", "init_uts_ns",
              "swapper_pg_dir" if "swapper_pg_dir" in bundle.symbols
              else "init_top_pgt"]
    bad = [name for name in wanted
           if bundle.symbols.get(name, 0) < KERNEL_MAP]
    tap.check(not bad, "%s: kallsyms has the addresses of %s"
              % (run.name, ", ".join(wanted)), "not of " + ", ".join(bad))
    both = [name for name in ("_stext", "init_uts_ns")
            if bundle.hex("SYMBOL(%s)" % name) != bundle.symbols.get(name)]
    tap.check(not both and "KERNELOFFSET" in bundle.info,
              "%s: vmcoreinfo agrees with it, and has KERNELOFFSET %s"
              % (run.name, bundle.info.get("KERNELOFFSET")),
              "not on " + ", ".join(both))


def check_types(tap, run, bundle):
    lacks = []
    for name, members in (("list_head", "next prev"), ("mm_struct", "pgd"),
                          ("task_struct", "pid tasks mm comm")):
        try:
            _, have = bundle.types.struct(name)
            lacks += [name + "." + m for m in members.split() if m not in have]
        except btf.BtfError as error:
            lacks.append(str(error))
    return tap.check(not lacks, "%s: btf has task_struct, mm_struct and "
                     "list_head among %d types"
                     % (run.name, len(bundle.types.types)), "; ".join(lacks))


def check_memory(tap, run, bundle):
    """Symbols and types lead to what they should in the image."""
    banner = bundle.data["version"]
    found = bundle.read(bundle.symbols["linux_banner"], len(banner))
    tap.check(found and found == banner[:len(found)],
              "%s: the image has the banner where kallsyms says" % run.name,
              "%r" % found[:40])
    tasks = bundle.tasks()
    tap.check(tasks[0].startswith("swapper") and "kthreadd" in tasks
              and "plant" in tasks and tasks[-1] != "...",
              "%s: by types and symbols the image has %d processes, those "
              "that ran among them" % (run.name, len(tasks)),
              " ".join(tasks[:20]))


@case
def bundle(tap, run, guest):
    image = check_image(tap, run, guest, source="/host/proc/kcore",
                        warnings=["bundle: System.map: it is the distribution"]
                        )
    if not check_files(tap, run, guest) or not image:
        return
    try:
        made = Bundle(run, image)
    except btf.BtfError as error:
        tap.check(False, "%s: btf can be read" % run.name, str(error))
        return
    check_texts(tap, run, guest, made)
    check_report(tap, run, guest)
    check_symbols(tap, run, made)
    if check_types(tap, run, made):
        check_memory(tap, run, made)
