# SPDX-License-Identifier: MIT
"""Makes the files of a host that a bundle is made of."""

import os
import random
import struct

RELEASE = "6.1.0-test"
BANNER = "Linux version %s (made@up) (gcc 12) #1 SMP made up\n" % RELEASE
TEXT = 0xFFFFFFFF81000000

OS_RELEASE = 'PRETTY_NAME="Made Up 1"\nID=made-up\n'
MODULES = "virtio_blk 16384 1 - Live 0xffffffffc0101000\n"
SYMBOLS = ("startup_64", "linux_banner", "init_task", "init_top_pgt",
           "swapper_pg_dir", "__per_cpu_offset")


def btf():
    """int, list_head and task_struct, as BTF of this machine's order."""
    strings = b"\0int\0list_head\0next\0prev\0task_struct\0pid\0"

    def name(text):
        return strings.index(b"\0" + text + b"\0") + 1

    def info(kind, members=0):
        return kind << 24 | members

    types = struct.pack("=IIII", name(b"int"), info(1), 4, 1 << 24 | 32)
    # 2: a pointer to 3, which has two of them.
    types += struct.pack("=III", 0, info(2), 3)
    types += struct.pack("=III", name(b"list_head"), info(4, 2), 16)
    types += struct.pack("=IIIIII", name(b"next"), 2, 0, name(b"prev"), 2, 64)
    types += struct.pack("=III", name(b"task_struct"), info(4, 1), 4)
    types += struct.pack("=III", name(b"pid"), 1, 0)
    return struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types),
                       len(types), len(strings)) + types + strings


def kallsyms(hidden=False):
    lines = ["%016x A fixed_percpu_data" % 0]
    lines += ["%016x T %s" % (0 if hidden else TEXT + 0x100 * i, name)
              for i, name in enumerate(SYMBOLS)]
    lines += ["%016x t of_module_%d\t[virtio_blk]"
              % (0 if hidden else 0xFFFFFFFFC0101000 + i, i)
              for i in range(6000)]
    return "\n".join(lines) + "\n"


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def make(proc, root, release=RELEASE):
    """All of them; iomem and kcore are there already."""
    for name, data in (
            ("kallsyms", kallsyms()), ("version", BANNER),
            ("cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda quiet\n"),
            ("modules", MODULES), ("sys/kernel/osrelease", release + "\n")):
        put(os.path.join(proc, name), data)
    # More than is read at once.
    vmlinuz = random.Random(5).randbytes(300000)
    for name, data in (
            ("etc/os-release", OS_RELEASE), ("sys/kernel/btf/vmlinux", btf()),
            ("boot/System.map-" + release, kallsyms()),
            ("boot/vmlinuz-" + release, vmlinuz)):
        put(os.path.join(root, name), data)
