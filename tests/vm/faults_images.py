# SPDX-License-Identifier: MIT
"""Faults of images, of what ends a run, and of a guest's facts."""

import os

from acquired import BLOCK, PAGE
from faults import edit, fault, flip, holder, on_records, replace
from made_up import MAGIC, put


@on_records("one bit of one planted page", "planted pages found")
def _(records, guest):
    flip(records, max(guest.planted) + 4095)


@on_records("one bit of kernel text", "kernel text pages equal")
def _(records, guest):
    flip(records, guest.text_pages()[-1])


@on_records("a record with planted pages dropped", "planted pages found")
def _(records, guest):
    del records[holder(records, min(guest.planted))]


@on_records("the same, as a block left out", "none with a page known")
def _(records, guest):
    del records[holder(records, min(guest.planted))]


@on_records("an address a page too high", "16 MiB blocks")
def _(records, _guest):
    records[-1][2] += PAGE
    records[-1][3] += PAGE


@on_records("an address a page too high, seen by its pages",
            "planted pages found")
def _(records, guest):
    record = records[holder(records, max(guest.planted))]
    record[2] += PAGE
    record[3] += PAGE


@on_records("right addresses, data a page off", "planted pages found")
def _(records, guest):
    record = records[holder(records, min(guest.planted))]
    record[5] = record[5][PAGE:] + record[5][:PAGE]


@on_records("two pages exchanged", "planted pages found")
def _(records, guest):
    one, two = sorted(guest.planted)[:2]
    first = records[holder(records, one)]
    second = records[holder(records, two)]
    for record, at, page in ((first, one, guest.planted[two]),
                             (second, two, guest.planted[one])):
        off = at - record[2]
        record[5] = record[5][:off] + page + record[5][off + PAGE:]


@on_records("two records exchanged", "well formed")
def _(records, _guest):
    records[1], records[2] = records[2], records[1]


@on_records("a record twice", "well formed")
def _(records, _guest):
    records.insert(1, records[1])


@on_records("a range without its last byte", "well formed")
def _(records, _guest):
    records[-1][3] -= 1
    records[-1][5] = records[-1][5][:-1]


@on_records("the end written as exclusive", "well formed")
def _(records, _guest):
    records[0][3] += 1


@on_records("reserved bytes set", "well formed")
def _(records, _guest):
    records[1][4] = 1


@on_records("another version", "well formed")
def _(records, _guest):
    records[1][1] = 2


@on_records("a header without data", "well formed")
def _(records, _guest):
    records[1][5] = b""


@on_records("bytes after the last record", "well formed")
def _(records, _guest):
    records[-1][5] += bytes(7)


@on_records("the last record cut off", "well formed")
def _(records, _guest):
    records[-1][5] = records[-1][5][:-PAGE]


@on_records("a record of 8 MiB", "16 MiB blocks")
def _(records, _guest):
    i = next(i for i, r in enumerate(records) if len(r[5]) == BLOCK)
    magic, version, start, last, reserved, data = records[i]
    half = BLOCK // 2
    records[i:i + 1] = [
        [magic, version, start, start + half - 1, reserved, data[:half]],
        [magic, version, start + half, last, reserved, data[half:]]]


@on_records("RAM that iomem does not know", "16 MiB blocks")
def _(records, _guest):
    start = records[-1][3] + 1
    records.append([MAGIC, 1, start, start + PAGE - 1, 0, b"x" * PAGE])


@on_records("a block of zeros written", "no record is all zero")
def _(records, guest):
    have = {record[2] for record in records}
    for start, end in guest.blocks():
        if start not in have:
            records.append([MAGIC, 1, start, end - 1, 0, bytes(end - start)])
            records.sort(key=lambda record: record[2])
            return
    records[1][5] = bytes(len(records[1][5]))


@on_records("numbers that are not the summary's", "summary's numbers")
def _(records, _guest):
    del records[0]


@on_records("an image of a full disk with wrong content", "never changed",
            "enospc")
def _(records, _guest):
    for record in records:
        record[5] = record[5][PAGE:] + record[5][:PAGE]


@on_records("an image of a full disk that ends within a record",
            "well formed", "enospc")
def _(records, _guest):
    records[-1][5] = records[-1][5][:-1]


@on_records("an image of a full disk without a record", "well formed",
            "enospc")
def _(records, _guest):
    records.clear()


for _case, _status in (("plain", "0"), ("stream", "0"), ("crash_alone", "0"),
                       ("compressed", "0"), ("converted", "0"),
                       ("enospc", "1")):
    @fault("another exit status", _case, "exit status")
    def _(root, _guest, name=_case, status=_status):
        edit(root, name + "/status", status, "2")

for _words in ("error: ", "/small/out.lime", "No space left"):
    @fault("no '%s' in the message" % _words, "enospc", "the error ")
    def _(root, _guest, words=_words):
        edit(root, "enospc/stderr", words, "-")


@fault("no image", "plain", "there is an image")
def _(root, _guest):
    os.unlink(root + "/plain/out.lime")


@fault("no file after a full disk", "enospc", "a file is left")
def _(root, _guest):
    os.unlink(root + "/enospc/out.lime")


@fault("an image for everybody to read", "plain", "mode is 0600")
def _(root, _guest):
    os.chmod(root + "/plain/out.lime", 0o644)


@fault("the trimmed page not told", "plain", "what was trimmed")
def _(root, _guest):
    edit(root, "plain/stderr", "trimmed", "-")


@fault("a range not told", "plain", "the ranges read")
def _(root, _guest):
    edit(root, "plain/stderr", "-0x000000000009f000 ", "-0x9e000 ")


@fault("a warning", "plain", "no warning")
def _(root, _guest):
    edit(root, "plain/stderr", "avml: ", "warning: 4096 bytes\navml: ")


@fault("no summary", "plain", "a summary line")
def _(root, _guest):
    edit(root, "plain/stderr", "bytes written", "-")


@fault("something on stdout", "plain", "nothing on stdout")
def _(root, _guest):
    os.unlink(root + "/plain/stdout")
    put(root + "/plain/stdout", "x")


@fault("no lockdown in the guest", "lockdown", "is locked down")
def _(root, _guest):
    edit(root, "lockdown/state", "[confidentiality]", "confidentiality")


@fault("a case that did not run", "masked", "can be judged")
def _(root, _guest):
    os.unlink(root + "/masked/status")


@fault("a boot that ended early", "plain", "ran all its cases")
def _(root, _guest):
    os.unlink(root + "/guest/complete")


@fault("a planted page that moved", "plain", "moved no planted page")
def _(root, _guest):
    edit(root, "guest/after", "\n7 0x", "\n7 0x1")


@fault("planted pages on one side of 4 GiB alone", "plain",
       "pages planted below 4 GiB")
def _(root, guest):
    for name in ("before", "after"):
        path = root + "/guest/" + name
        with open(path, encoding="ascii") as file:
            lines = file.readlines()
        os.unlink(path)
        put(path, "".join(
            line for line in lines
            if line[0] == "s" or int(line.split()[1], 16) < 1 << 20))


@fault("a guest of another processor", "plain", "a processor of")
def _(root, guest):
    edit(root, "guest/uname", guest.machine, "riscv64")


@fault("RAM that begins elsewhere", "plain", "RAM has the planted pages")
def _(root, guest):
    replace(root, "guest/ram_base", str(guest.ram_base + PAGE))
