# SPDX-License-Identifier: MIT
"""Makes the files of a host that a bundle is made of."""

import os
import random

import btf

RELEASE = "6.1.0-test"
BANNER = "Linux version %s (made@up) (gcc 12) #1 SMP made up\n" % RELEASE
TEXT = 0xFFFFFFFF81000000

TYPES = {"list_head": (16, {"next": 0, "prev": 8}),
         "mm_struct": (64, {"pgd": 32}),
         "task_struct": (128, {"pid": 0, "tasks": 16, "mm": 32, "comm": 64})}
OS_RELEASE = 'PRETTY_NAME="Made Up 1"\nID=made-up\n'
MODULES = "virtio_blk 16384 1 - Live 0xffffffffc0101000\n"
SYMBOLS = ("startup_64", "linux_banner", "init_task", "init_top_pgt",
           "swapper_pg_dir", "__per_cpu_offset")


def kallsyms():
    lines = ["%016x A fixed_percpu_data" % 0]
    lines += ["%016x T %s" % (TEXT + 0x100 * i, name)
              for i, name in enumerate(SYMBOLS)]
    # A letter that is a digit too.
    lines += ["%016x d of_data" % (TEXT + 0x10000)]
    lines += ["%016x t of_module_%d\t[virtio_blk]" % (0xFFFFFFFFC0101000 + i, i)
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
            ("etc/os-release", OS_RELEASE), ("sys/kernel/btf/vmlinux", btf.build(TYPES)),
            ("boot/System.map-" + release, kallsyms()),
            ("boot/vmlinuz-" + release, vmlinuz)):
        put(os.path.join(root, name), data)
