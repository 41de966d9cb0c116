# SPDX-License-Identifier: MIT
"""Made-up results of a boot that has all cases, for selftest.py."""

import hashlib
import json
import os
import random
import struct

from acquired import BLOCK, PAGE
from guest import FAULT, POISONED, Pattern
from judge_faults import LATE, NO_PAGE, OFFLINE
from judge_sources import NORMAL, PATHS
from judging import NO_HEADER
# tests/lib, to which acquired has shown the way.
from image import HEADER, V1
import btf
from hostfiles import TYPES
from oddity import make_record

MAGIC, _ = V1
MIB = 1 << 20
SEED = 0x0123456789ABCDEF
BELOW_4G = 48 * MIB
RANGES = [(0x1000, 0x9F000), (0x100000, BELOW_4G),
          (1 << 32, (1 << 32) + 16 * MIB)]
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
00100000-02ffffff : System RAM
  00200000-0020ff00 : Kernel code
c0000000-febfffff : PCI Bus 0000:00
100000000-100ffffff : System RAM
"""
SAID = """\
note: trimmed 0x000000000009f000-0x000000000009fc00: not a whole page
note: range 0x0000000000001000-0x000000000009f000 647168 bytes
note: range 0x0000000000100000-0x0000000003000000 49283072 bytes
note: range 0x0000000100000000-0x0000000101000000 16777216 bytes
"""
POISONED_AT = [0x2300000, 0x2301000, 0x2304000]
SECRET_AT = [0x2310000, 0x2311000]
BAD_AT = [0x2200000, 0x2201000, 0x2210000, (1 << 32) + 0x3000,
          (1 << 32) + 0x8000]
# What the host has taken.
TAKEN = (0x400000, 0x2200000)
# RAM that comes and goes: it is in no file of the guest's RAM.
DIMM = (5 << 30, (5 << 30) + 128 * MIB)
RELEASE = "6.1.0-made"
BANNER = "Linux version %s (made@up)\n" % RELEASE
CMDLINE = "console=ttyS0 quiet\n"
# Where tasks, banner and the base of the direct map are.
TASKS = {0x111000: "swapper/0", 0x114000: "kthreadd", 0x115000: "plant"}
BANNER_AT = 0x112000
BASE_AT = 0x113000
DIRECT_MAP = 0xFFFF888000000000
KERNEL_MAP = 0xFFFFFFFF80000000
LONG = ("warning: 1 records hold memory that does not compress at all, and "
        "Volatility 3 may hang on them: convert the image to lime for it "
        "(avml convert)\n")


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


# --- made-up results ---------------------------------------------------------

def kcore_head(ranges):
    """A head as real ones are: kernel text twice, vmalloc without address."""
    loads = [(s, e - s) for s, e in ranges]
    loads += [(0x200000, 0x200000), ((1 << 64) - 1, 0x1000)]
    out = b"\x7fELF\x02\x01\x01" + bytes(9)
    out += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56,
                       len(loads), 0, 0, 0)
    for paddr, memsz in loads:
        out += struct.pack("<IIQQQQQQ", 1, 7, 0,
                           0xFFFF888000000000 + paddr & (1 << 64) - 1,
                           paddr, memsz, memsz, 4096)
    return out.ljust(16384, b"\0")


def ram_at(address):
    return address - (1 << 32) + BELOW_4G if address >> 32 else address


def put_kernel(ram):
    """The variables that a bundle leads to; the first task is no slab's."""
    ram[BANNER_AT:BANNER_AT + len(BANNER)] = BANNER.encode()
    ram[BASE_AT:BASE_AT + 8] = struct.pack("<Q", DIRECT_MAP)
    members = TYPES["task_struct"][1]
    places = list(TASKS)
    for at, after in zip(places, places[1:] + places[:1]):
        base = KERNEL_MAP if after == places[0] else DIRECT_MAP
        link = at + members["tasks"]
        ram[link:link + 8] = struct.pack("<Q", base + after + members["tasks"])
        name = at + members["comm"]
        ram[name:name + 16] = TASKS[at].encode().ljust(16, b"\0")


def make_ram(table):
    noise = random.Random(1)
    ram = bytearray(BELOW_4G + 16 * MIB)
    pattern = Pattern(SEED)
    # The first range does not compress, and nothing follows to join it with.
    start, end = RANGES[0]
    ram[start:end] = noise.randbytes(end - start)
    for at in [0x110000] + list(range(0x200000, 0x210000, PAGE)):
        ram[at:at + PAGE] = noise.randbytes(PAGE)
    for index, address in enumerate(table):
        at = ram_at(address)
        ram[at:at + PAGE] = pattern.page(index)
    put_kernel(ram)
    for index, at in enumerate(POISONED_AT + SECRET_AT):
        ram[at:at + PAGE] = pattern.page(len(table) + index)
    return ram


def make_image(ram):
    """The records, block by block, those of zeros left out."""
    out = []
    for start, end in RANGES:
        for at in range(start, end, BLOCK):
            last = min(at + BLOCK, end)
            data = bytes(ram[ram_at(at):ram_at(at) + last - at])
            if data.count(0) != len(data):
                out.append([MAGIC, 1, at, last - 1, 0, data])
    return out


def write_image(path, records):
    put(path, b"".join(HEADER.pack(*record[:5]) + record[5]
                       for record in records))


def write_v2(path, records, **options):
    put(path, b"".join(make_record(record[2], record[5], "v2", **options)
                       for record in records))


def make_run(root, name, status, stderr, stdout=""):
    for key, text in [("cmd", name), ("status", str(status)),
                      ("stdout", stdout), ("stderr", stderr),
                      ("seconds", "1.00")]:
        put(os.path.join(root, name, key), text)


def pages(addresses, reason):
    return [(at, at + PAGE, reason) for at in addresses]


def page_table(addresses, first=0):
    """As plant and odd write it; these pages have this index and more."""
    return "seed 0x%x\n" % SEED + "".join(
        "%d 0x%x\n" % (i + first, at // PAGE)
        for i, at in enumerate(addresses))


class Made:
    """What all the cases have in common."""

    def __init__(self, root):
        self.root = root
        self.table = list(range(0x2200000, 0x2220000, PAGE))
        self.table += list(range((1 << 32) + 0x3000, (1 << 32) + 0x23000,
                                 PAGE))
        self.ram = make_ram(self.table)

    def write_facts(self, name, device=False, kcore=True):
        iomem = IOMEM
        ranges = list(RANGES)
        if device:
            iomem += "%x-%x : System RAM\n" % (DIMM[0], DIMM[1] - 1)
            ranges += [DIMM] if kcore else []
        put("%s/%s/iomem" % (self.root, name), iomem)
        put("%s/%s/kcore.head" % (self.root, name), kcore_head(ranges))

    def write_guest(self):
        guest = self.root + "/guest/"
        self.write_facts("guest")
        for name, text in (
                ("boot", "main"), ("complete", "main"),
                ("uname", "Linux guest %s #1 SMP x86_64" % RELEASE),
                ("cmdline", CMDLINE),
                ("before", page_table(self.table)),
                ("after", page_table(self.table)),
                ("poisoned", page_table(POISONED_AT, len(self.table))),
                ("secret", page_table(SECRET_AT, len(self.table)
                                      + len(POISONED_AT))),
                ("corrupted", "HardwareCorrupted: %d kB" % (
                    len(POISONED_AT) * PAGE >> 10)),
                ("below_4g", str(BELOW_4G)), ("ram_base", "0"),
                ("ram", bytes(self.ram))):
            put(guest + name, text)

    def records(self, holes=()):
        ram = bytearray(self.ram)
        for at in holes:
            ram[ram_at(at):ram_at(at) + PAGE] = bytes(PAGE)
        return make_image(ram)

    def write_image(self, name, unreadable=(), warnings="", kind="v1",
                    source="/proc/kcore", device=False, secret=False):
        """A whole image; unreadable as judging.check_image() has it."""
        in_ram = [at for at, _, _ in unreadable if at < DIMM[0]]
        records = self.records(in_ram + (SECRET_AT if secret else []))
        path = "%s/%s/%s" % (self.root, name, "out.lime" if kind == "v1"
                             else "out.v2")
        (write_image if kind == "v1" else write_v2)(path, records)
        os.chmod(path, 0o600)
        ranges = RANGES + ([DIMM] if device else [])
        stderr = SAID + (LONG if kind == "v2" else "")
        if device:
            stderr += "note: range 0x%016x-0x%016x %d bytes\n" % (
                DIMM + (DIMM[1] - DIMM[0],))
        for start, end, reason in unreadable:
            stderr += "warning: 0x%016x-0x%016x could not be read: %s\n" % (
                start, end, reason)
        stderr += warnings + (
            "avml: f: %d ranges, %d bytes of RAM from %s; %d records, %d "
            "bytes written, %d bytes of zero blocks left out, %d bytes "
            "unreadable; 0.50 s, 120.0 MiB/s\n" % (
                len(ranges), sum(e - s for s, e in ranges), source,
                len(records), os.path.getsize(path),
                BLOCK + (DIMM[1] - DIMM[0] if device else 0),
                sum(e - s for s, e, _ in unreadable)))
        make_run(self.root, name, 3 if unreadable else 0, stderr)

    def write_crash(self, name, unreadable=(), **options):
        self.write_image(name, unreadable, source="/dev/crash", **options)
        reads = sum(e - s for s, e in RANGES) // PAGE + 1 - len(
            [at for at, _, reason in unreadable if reason == POISONED])
        put("%s/%s/crash" % (self.root, name),
            "reads %d\nwrong 0\ntouched 0\n" % reads)

    def write_bpf(self, name, unreadable=(), warnings="", kind="v1"):
        self.write_image(name, unreadable, source="bpf", kind=kind,
                         warnings=warnings + "note: source bpf puts a program "
                         "and a map into the kernel\n")

    def write_cut(self, name, status, error):
        """Of an image that had to end."""
        records = self.records()
        write_image("%s/%s/out.lime" % (self.root, name), records[:2])
        make_run(self.root, name, status, SAID + "error: %s\n" % error)


def write_arrival(root, name):
    """The report of what was sent, which is what arrived."""
    with open("%s/%s/out.v2" % (root, name), "rb") as file:
        data = file.read()
    put("%s/%s/report" % (root, name), json.dumps({
        "type": "summary", "status": 0, "written_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest()},
        separators=(",", ":")) + "\n")


def write_main(made):
    root = made.root
    for name in ("plain", "threads1", "stream"):
        made.write_image(name)
    made.write_image("proc_threads2", source="/host/proc/kcore")
    for name in ("compressed", "compressed_stream"):
        made.write_image(name, kind="v2")
    records = made.records()
    size = sum(32 + len(record[5]) for record in records)
    for name in ("converted", "converted_by_name"):
        make_run(root, name, 0, "avml: f: %d bytes of memory from g; %d "
                 "records, %d bytes written, 0 bytes of zero blocks left out, "
                 "0 bytes lost in 0 places; 0.50 s, 120.0 MiB/s\n" % (
                     size - 32 * len(records), len(records), size))
        write_image("%s/%s/out.lime" % (root, name), records)
        os.chmod("%s/%s/out.lime" % (root, name), 0o600)
    for name in ("stream_tcp", "stream_put"):
        made.write_image(name, kind="v2")
        write_arrival(root, name)
    put(root + "/stream_tcp/connections", "begin\nend\n")
    put(root + "/stream_put/requests",
        "PUT /stream_put/out.v2 201 chunked TLSv1.3\n")
    made.write_cut("enospc", 1, "/small/out.lime is incomplete\ncaused by:\n"
                   "    0: No space left on device")
    made.write_cut("tmpfs_force", 1, "/tmpfs/out.lime is incomplete\n"
                   "caused by:\n    0: No space left on device")
    made.write_cut("sigterm", 143, "f is incomplete\ncaused by:\n"
                   "    0: stopped by SIGTERM")
    made.write_cut("min_free", 1, "/small/out.lime is incomplete\n"
                   "caused by:\n    0: 10 MiB are to stay free (--min-free)")
    put(root + "/min_free/free", "50000 1024\n20000 1024\n10241 1024\n10")
    put(root + "/min_free/free_after", "10500 1024\n")
    for name, text in (
            ("min_free_refused",
             "/small/out.lime: less than the 100 MiB (--min-free)"),
            ("no_fit", "/small/out.lime cannot fit (--force)"),
            ("tmpfs", "/tmpfs/out.lime is on tmpfs (--force)"),
            ("tmpfs_root", "/out.lime is on ramfs (--force)"),
            ("no_kcore", "/tmp/proc/kcore does not exist"),
            ("mem", "/dev/mem: STRICT_DEVMEM keeps RAM above 1 MiB from it"),
            ("masked", "/proc/kcore is masked: see --proc"),
            ("masked_empty", "/proc/kcore is empty or masked: see --proc"),
            ("integrity_mem",
             "cannot open /dev/mem: kernel lockdown is 'integrity'")):
        make_run(root, name, 1, "error: %s\n" % text)


def write_bundle(made):
    symbols = {"_stext": 0x110000, "init_task": min(TASKS),
               "linux_banner": BANNER_AT, "init_uts_ns": 0x116000,
               "init_top_pgt": 0x117000, "page_offset_base": BASE_AT}
    files = {
        "vmcoreinfo": "OSRELEASE=%s\nNUMBER(phys_base)=0\nKERNELOFFSET=0\n"
        "SYMBOL(_stext)=%x\nSYMBOL(init_uts_ns)=%x\n\0\0" % (
            RELEASE, KERNEL_MAP + symbols["_stext"],
            KERNEL_MAP + symbols["init_uts_ns"]),
        "kallsyms": "".join("%016x D %s\n" % (KERNEL_MAP + at, name)
                            for name, at in symbols.items()),
        "btf": btf.build(TYPES), "cmdline": CMDLINE, "version": BANNER,
        "modules": "", "iomem": IOMEM, "os-release": "ID=vmtest\n",
        "System.map": "a stand-in\n", "vmlinuz": "MZ"}
    said = "warning: bundle: System.map: it is the distribution's\n"
    for name, data in files.items():
        data = data.encode() if isinstance(data, str) else data
        path = "%s/bundle/bundle.%s" % (made.root, name)
        put(path, data)
        os.chmod(path, 0o600)
        said += "note: bundle: %s: %d bytes of /x, SHA-256 %s\n" % (
            name, len(data), hashlib.sha256(data).hexdigest())
    made.write_image("bundle", warnings=said, source="/host/proc/kcore")
    write_report(made, files)


def write_report(made, files):
    """Of that acquisition: what the judge looks at."""
    def digest(data):
        data = data.encode() if isinstance(data, str) else data
        return hashlib.sha256(data).hexdigest()

    with open(made.root + "/bundle/out.lime", "rb") as file:
        image = digest(file.read())
    lines = [{"type": "header", "sources": [{"primary": True}],
              "host": {"kernel_release": RELEASE, "boot_id": "0123456789ab" * 3},
              "iomem": {"ranges": [{"start": "0x0", "end": "0x1"}]}},
             {"type": "record", "read_begin": 0.1, "read_end": 0.2}]
    lines += [{"type": "file", "name": name, "sha256": digest(data)}
              for name, data in files.items()]
    lines.append({"type": "summary", "status": 0, "seconds": 1,
                  "sha256": image})
    put(made.root + "/bundle/report",
        "".join(json.dumps(line) + "\n" for line in lines))
    put(made.root + "/bundle/out.lime.sha256", image + "  out.lime\n")


def none_works(kcore, mem, bpf):
    return ("error: no source of memory works\ncaused by:\n"
            "    0: /dev/crash: No such file or directory\n"
            "    1: cannot open /proc/kcore: %s\n"
            "    2: cannot open /dev/mem: %s\n"
            "    3: bpf: %s\n" % (kcore, mem, bpf))


def write_sources(made):
    root = made.root
    made.write_crash("crash")
    made.write_crash("crash_alone", kind="v2")
    made.write_crash("crash_bad", pages(BAD_AT, FAULT))
    made.write_crash("crash_filled", warnings="warning: %d bytes that "
                     "/dev/crash could not read were read from another "
                     "source\n" % (len(BAD_AT) * PAGE))
    for name in ("crash_bad", "crash_filled"):
        put("%s/%s/bad" % (root, name), ",".join(
            "0x%x" % at for at in BAD_AT))
    made.write_image("no_admin", warnings="warning: /proc/iomem: "
                     "CAP_SYS_ADMIN; the ranges in the headers of "
                     "/proc/kcore are taken for RAM\n")
    made.write_image("integrity", pages(POISONED_AT, POISONED))
    locked = "kernel lockdown is 'confidentiality'"
    unsafe = ("it must not be touched (HardwareCorrupted), which is not in "
              "kpageflags")
    for name, why in (("not_root", "run as root"), ("unmarked", unsafe),
                      ("lockdown", locked)):
        make_run(root, name, 1, none_works(why, why, why))
    for name, kcore, mem in (
            ("mem_alone", "masked", "STRICT_DEVMEM"),
            ("no_rawio", "CAP_SYS_RAWIO", "CAP_SYS_RAWIO")):
        made.write_bpf(name, pages(SECRET_AT, FAULT), "".join(
            "note: source %s is not used: %s\n" % pair for pair in (
                ("/dev/crash", "No such file"), ("/proc/kcore", kcore),
                ("/dev/mem", mem))))
    put(root + "/lockdown/state", "none integrity [confidentiality]\n")
    for name in ("integrity", "integrity_mem"):
        put("%s/%s/state" % (root, name), "none [integrity] confidentiality\n")


def write_faults(made):
    poisoned, secret = (pages(POISONED_AT, POISONED), pages(SECRET_AT, FAULT))
    made.write_image("poisoned", poisoned)
    made.write_crash("poisoned_crash", poisoned + secret)
    made.write_image("unmarked_said", warnings="warning: /proc/kpageflags "
                     "cannot be read\n")
    made.write_crash("secret_crash", secret)
    made.write_image("secret", secret=True)
    made.write_crash("offline", [DIMM + (NO_PAGE,)], device=True)
    made.write_facts("offline", device=True)
    made.write_image("offline_kcore", [DIMM + (NO_HEADER,)])
    made.write_facts("offline_kcore", device=True, kcore=False)
    made.write_image(
        "gone", [DIMM + (NO_PAGE,)], device=True, warnings="".join(
            "warning: 0x%016x-0x%016x %s\n" % (DIMM + (what,)) for what in (
                "was RAM when the run began and is not any more",
                "went out of the program headers of kcore during the run")))
    made.write_facts("gone", device=True)
    made.write_image("ballooned", [TAKEN + (OFFLINE,)])
    flags = bytearray((RANGES[-1][1] // PAGE) * 8)
    for at in range(TAKEN[0], TAKEN[1], PAGE):
        # KPF_OFFLINE is bit 23: of the third byte.
        flags[at // PAGE * 8 + 2] = 0x80
    put(made.root + "/ballooned/kpageflags", bytes(flags))
    put(made.root + "/gone/meanwhile", IOMEM)
    made.write_image("plugged", poisoned + [DIMM + (LATE,)])
    put(made.root + "/plugged/meanwhile", IOMEM + (
        "%x-%x : virtio0\n  %x-%x : System RAM (virtio_mem)\n"
        % ((DIMM[0], DIMM[1] - 1) * 2)))


def write_left(made, name, status):
    """What bpftool lists: others' things too."""
    make_run(made.root, name, status, "")
    other = '[{"id": 1, "name": "other"}]\n'
    for when, own in (("before", ""), ("while", ',{"name": "avml_read"}'),
                      ("after", "")):
        put("%s/%s/bpf.%s" % (made.root, name, when),
            other.replace("]", own + "]") * 2)


def write_bpf(made):
    for name in ("bpf", "bpf_threads", "bpf_kptr", "bpf_root"):
        made.write_bpf(name)
    put(made.root + "/bpf_threads/report", '{"type": "header"}\n' + json.dumps({
        "type": "summary", "footprint": {
            "program": "syscall", "programs": 1, "loads": 4,
            "program_bytes": 300, "map_bytes": 6 << 18}}) + "\n")
    made.write_bpf("bpf_compressed", kind="v2")
    made.write_bpf("bpf_secret", pages(SECRET_AT, FAULT))
    made.write_bpf("bpf_kfence", [(0x2400000, 0x2480000, FAULT)])
    made.write_bpf("bpf_forced",
                   warnings="warning: bpf: pages are not known: kpageflags; "
                   "--force reads it all the same\n")
    write_left(made, "bpf_left", 0)
    write_left(made, "bpf_killed", 137)
    for name, why in (
            ("user", "run as root"), ("no_admin", "CAP_SYS_ADMIN is missing"),
            ("no_bpf", "CAP_BPF is missing"),
            ("no_perfmon", "CAP_PERFMON is missing"),
            ("unmarked", "what must not be touched is not known: kpageflags; "
             "--force"),
            ("lockdown", "kernel lockdown is 'confidentiality'")):
        make_run(made.root, "bpf_" + name, 1, "error: bpf: %s\n" % why)
    put(made.root + "/bpf_lockdown/state",
        "none integrity [confidentiality]\n")


def write_survey(made, name, reasons, iomem=True, **facts):
    """What `avml sources` says in one state of the machine."""
    reasons = dict(zip(PATHS, reasons))
    first = next((n for n, r in reasons.items() if r == "usable"), None)
    status, text = (0, "") if first else (1, "error: no source works\n")
    if reasons["bpf"] == "usable":
        text += "note: to try source bpf, the kernel was asked\n"
    words = "".join("%-12s  %s  %s: why\n" % (
        PATHS[n], "yes" if r == "usable" else "no ", r)
        for n, r in reasons.items())
    make_run(made.root, name, status, text, words)
    said = {"avml": "0.1.0", "kernel": "6.1.0-made", **NORMAL, **facts}
    said = {key: said[key] for key in (
        "avml", "kernel", "lockdown", "root", "cap_sys_rawio",
        "cap_sys_admin")}
    said["iomem"] = {
        "path": "/proc/iomem", "ranges": len(RANGES) if iomem else 0,
        "bytes": sum(e - s for s, e in RANGES) if iomem else 0,
        "error": None if iomem else "it needs CAP_SYS_ADMIN"}
    said["kpageflags"] = facts.get("kpageflags", True)
    said["sources"] = [{
        "name": n, "path": PATHS[n], "usable": r == "usable",
        "primary": n == first, "reason": r,
        "message": None if r == "usable" else "why",
        "remedy": None if r == "usable" else "help"}
        for n, r in reasons.items()]
    make_run(made.root, name + "_json", status, text, json.dumps(said))
    for list_name in ("before", "after"):
        put("%s/%s/%s" % (made.root, name, list_name), "".join(
            "/bin/%d 1 2 3\n" % i for i in range(30)))
    put("%s/%s/crash" % (made.root, name), "reads 2\nwrong 0\ntouched 0\n")


def write_surveys(made):
    nobody = {"root": False, "cap_sys_rawio": False, "cap_sys_admin": False,
              "kpageflags": False}
    for name, reasons, iomem, facts in (
            ("plain", "missing usable strict-devmem unneeded", True, {}),
            ("crash", "usable usable strict-devmem unneeded", True, {}),
            ("masked", "missing masked strict-devmem usable", True, {}),
            ("bpf", "missing masked strict-devmem usable", True, {}),
            ("masked_empty", "missing masked strict-devmem usable", True, {}),
            ("no_rawio", "missing capability capability usable", True,
             {"cap_sys_rawio": False}),
            ("no_admin", "missing usable no-ram unneeded", False,
             {"cap_sys_admin": False}),
            ("user", "missing not-root not-root not-root", False, nobody),
            ("user_namespace", "missing" + 3 * " user-namespace", False,
             {"kpageflags": False}),
            ("unmarked", "missing unsafe unsafe unsafe", True,
             {"kpageflags": False}),
            ("integrity", "missing usable lockdown unneeded", True,
             {"lockdown": "integrity"}),
            ("lockdown", "missing lockdown lockdown lockdown", True,
             {"lockdown": "confidentiality"})):
        write_survey(made, "sources_" + name, reasons.split(), iomem=iomem,
                     **facts)


def make_results(root):
    made = Made(root)
    made.write_guest()
    write_main(made)
    write_bundle(made)
    write_sources(made)
    write_faults(made)
    write_bpf(made)
    write_surveys(made)
