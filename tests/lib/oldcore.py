# SPDX-License-Identifier: MIT
"""Makes /proc/kcore as Linux before 4.11 presents it: every p_paddr is 0.

Facts are from fs/proc/kcore.c and each architecture's kc_vaddr_to_offset.
A header's file offset is a function of its virtual address alone, plus the
length of all headers.  Segments stand in the order in which the kernel's
list has them: on x86-64 vsyscall, text, vmalloc, modules, and then for each
line of RAM its place in the direct map, followed by that of its struct
pages.  A line of RAM is rounded to whole pages by itself, so that a page
which two lines share is in none.
"""

import errno
import os

import elfcore
import ranges as rng
from elfcore import ALL_ONES, PAGE, Segment

GIB = 1 << 30
TIB = 1 << 40
HEADERS = 0x3000      # of these kernels, task and all, in whole pages
STRUCT_PAGE = 64
# No memory file has such a page, nor one of zeros.
WRONG = (b"NOT THIS ADDRESS" * 256)[:PAGE]


def _mask(bits):
    return lambda vaddr: vaddr & ((1 << bits) - 1)


def _minus(base):
    return lambda vaddr: vaddr - base


class Model:
    """An old kernel's address space.

    base is what a physical address is added to; others are (vaddr, size)
    of what is no RAM, in the kernel's order.
    """

    def __init__(self, base, offset, others, vmemmap=None, order="<",
                 machine=62):
        self.base = base
        self.offset = offset
        self.others = others
        self.vmemmap = vmemmap
        self.order = order
        self.machine = machine


MODELS = {
    # 3.10, x86-64.  The vsyscall area was 8 MiB of addresses then.
    "rhel7": Model(
        0xFFFF880000000000, _mask(47),
        [(0xFFFFFFFFFF600000, 8 << 20), (0xFFFFFFFF81000000, 0x1A2F000),
         (0xFFFFC90000000000, 32 * TIB - 1),
         (0xFFFFFFFFA0000000, 0x5F000000)],
        vmemmap=0xFFFFEA0000000000),
    # 4.8 to 4.10 with CONFIG_RANDOMIZE_MEMORY: all in whole GiB.
    "kaslr": Model(
        0xFFFF8C4E40000000, _mask(47),
        [(0xFFFFFFFFFF600000, PAGE), (0xFFFFFFFFA2000000, 0x21D4000),
         (0xFFFFB38700000000, 32 * TIB - 1),
         (0xFFFFFFFFC0000000, 0x3F000000)],
        vmemmap=0xFFFFE4B840000000),
    # 2.6.32, x86-64: text from _stext, on no page's border.
    "rhel6": Model(
        0xFFFF880000000000, _mask(47),
        [(0xFFFFFFFFFF600000, 8 << 20), (0xFFFFFFFF810001F0, 0x11E1E10),
         (0xFFFFC90000000000, 32 * TIB - 1),
         (0xFFFFFFFFA0000000, 0x5F000000)],
        vmemmap=0xFFFFEA0000000000),
    # 3.18, arm64 with 39 bits: vmalloc lies below the direct map, so that
    # its offset is negative, and RAM starts at 1 GiB.
    "arm64": Model(
        0xFFFFFFC000000000 - GIB, _minus(0xFFFFFFC000000000),
        [(0xFFFFFF8000000000, 0x3BBFFF0000),
         (0xFFFFFFBFFC000000, 0x4000000)], machine=183),
    # 4.6 to 4.10, arm64 with 39 bits: modules and vmalloc have the lowest
    # offsets, right behind the headers.
    "arm64-mask": Model(
        0xFFFFFFC000000000 - GIB, _mask(39),
        [(0xFFFFFF8008000000, 0x3DB6FF0000), (0xFFFFFF8000000000, 128 << 20)],
        vmemmap=0xFFFFFFBF00000000 - GIB // PAGE * STRUCT_PAGE,
        machine=183),
    # s390x: virtual addresses are physical ones, the highest byte first.
    "s390x": Model(
        0, _minus(0),
        [(0x3E000000000, 128 * GIB), (0x3FF80000000, 2 * GIB)],
        vmemmap=0x3D100000000, order=">", machine=22),
}

LIES = (
    "old-shifted",      # each range of RAM is somewhere else: no base fits
    "old-no-ram",       # only what is no RAM
    "old-twice",        # a second direct map behind, of other bytes
    "old-twice-first",  # the same, in front
    "old-ram-first",    # no lie: another order
    "old-missing-range",
)


def _vmemmap(model, start, end, before):
    """Where the struct pages of a range are; what is there already, not."""
    low = (model.vmemmap + start // PAGE * STRUCT_PAGE) // PAGE * PAGE
    high = model.vmemmap + end // PAGE * STRUCT_PAGE + PAGE - 2
    high = high // PAGE * PAGE
    for segment in before:
        at, size = segment.fields[3], segment.fields[5]
        if low < at + size and high > at:
            high = at
    return (low, high) if low < high else None


def _segments(model, lines, lies):
    def segment(vaddr, size, copy=None):
        made = Segment(vaddr, 0, size, model.offset(vaddr) + HEADERS)
        made.copy = copy
        return made

    def direct_map(base):
        out = []
        for index, (start, end) in enumerate(lines):
            # By other amounts each, upwards: nothing overlaps.
            shift = (index + 1) * 0x1003000 if "old-shifted" in lies else 0
            out.append(segment(base + shift + start, end - start,
                               (start, end) if base == model.base else None))
            where = model.vmemmap is not None and \
                _vmemmap(model, start, end, out)
            if where:
                out.append(segment(where[0], where[1] - where[0]))
        return out

    if "old-missing-range" in lies:
        lines = lines[:-1]
    others = [segment(*other) for other in model.others]
    ram = [] if "old-no-ram" in lies else direct_map(model.base)
    other = direct_map(model.base - 512 * GIB) \
        if lies & {"old-twice", "old-twice-first"} else []
    if "old-ram-first" in lies:
        return ram + others
    if "old-twice-first" in lies:
        return others + other + ram
    return others + ram + other


def _spoil(out, segment, lines):
    """Wrong bytes where a reader of p_paddr = 0 would look for RAM.

    Only as far as the file system takes them: offsets go up to 2^47.
    """
    offset, size = segment.fields[2] & ALL_ONES, segment.fields[5]
    for start, end in lines:
        for at in (start, end - PAGE):
            if at + PAGE > size:
                continue
            try:
                os.pwrite(out, WRONG * min(16, (end - at) // PAGE),
                          offset + at)
            except OverflowError:
                return
            except OSError as error:
                if error.errno not in (errno.EFBIG, errno.EINVAL):
                    raise
                return


def write(path, memory, iomem_text, name, lies):
    """A kcore of that kind of kernel; memory is a descriptor."""
    model = MODELS[name]
    lines = rng.align_inwards(rng.parse_iomem(iomem_text))
    segments = _segments(model, lines, lies)
    out = elfcore.create(path)
    # Wrong ones first: where the two would meet, RAM is right.
    for segment in segments:
        if not segment.copy:
            _spoil(out, segment, lines)
    end = HEADERS
    for segment in segments:
        if segment.copy:
            start, stop = segment.copy
            offset = segment.fields[2]
            elfcore.copy_memory(memory, out, start, stop, offset)
            end = max(end, offset + stop - start)
    count = len(segments) + 1
    os.pwrite(out, elfcore.elf_header(count, model.order, model.machine) +
              elfcore.note_header(count, 0, model.order) +
              b"".join(segment.pack(model.order) for segment in segments), 0)
    if os.fstat(out).st_size < end:
        os.ftruncate(out, end)
    os.close(out)
