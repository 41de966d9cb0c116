# SPDX-License-Identifier: MIT
"""Faults of the cases about sources, and about memory that needs care."""

import json
import os

from acquired import PAGE
from faults import edit, fault, flip, on_records, remove, replace
from made_up import BAD_AT, DIMM, POISONED_AT, SECRET_AT, TAKEN, put, ram_at


def text_of(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def edited(what, name, words, path, old, new):
    """A text in a file of a case, or of the guest, is another."""
    @fault(what, name, words)
    def _(root, _guest):
        edit(root, path if "/" in path else name + "/" + path, old, new)


def zeroed(addresses):
    """The pages become zeros in the records."""
    def change(records, _guest):
        for record in records:
            data = bytearray(record[5])
            for at in addresses:
                if record[2] <= at <= record[3]:
                    data[at - record[2]:at - record[2] + PAGE] = bytes(PAGE)
            record[5] = bytes(data)
    return change


# --- the boot ----------------------------------------------------------------

edited("four levels of page tables", "plain", "levels of page tables",
       "guest/boot", "main", "la57")


@fault("a kernel that was moved", "plain", "where it was linked")
def _(root, _guest):
    replace(root, "guest/boot", "la57_nokaslr")


# --- /dev/crash --------------------------------------------------------------

for _case in ("crash", "crash_filled", "crash_bad", "secret_crash",
              "poisoned_crash", "offline"):
    edited("a read that breaks the rule", _case, "each of one whole page",
           "crash", "wrong 0", "wrong 1")
edited("a read that breaks the rule", "sources_crash",
       "each of one whole page", "crash", "wrong 0", "wrong 1")
edited("reads too few", "crash", "each of one whole page", "crash",
       "reads ", "reads 1\nleft ")
edited("reads too many", "crash", "and few more", "crash", "reads ",
       "reads 9")
edited("pages read that are marked", "offline", "and few more", "crash",
       "reads ", "reads 9")
edited("another source", "crash", "names the source", "stderr",
       "from /dev/crash", "from /proc/kcore")
edited("another source", "plain", "names the source", "stderr",
       "from /proc/kcore", "from /dev/crash")
edited("another source", "proc_threads2", "names the source", "stderr",
       "from /host/proc/kcore", "from /proc/kcore")
on_records("a page not filled", "planted pages found",
           "crash_filled")(zeroed(BAD_AT[-1:]))
edited("no word of what was filled", "crash_filled", "a warning says",
       "stderr", "warning: ", "note: ")
edited("another number of bytes filled", "crash_filled", "a warning says",
       "stderr", "warning: ", "warning: 1")
edited("bad pages on one side", "crash_filled", "both sides of 4 GiB", "bad",
       "0x10000", "0x")
edited("a reason that is another", "crash_bad", "named as unreadable",
       "stderr", "Bad address", "Input/output error")
edited("a page not named", "crash_bad", "named as unreadable", "stderr",
       "warning: 0x%016x" % BAD_AT[0], "note: 0x%016x" % BAD_AT[0])
edited("a page too many named", "crash", "named as unreadable", "stderr",
       "avml: ", "warning: 0x0000000000005000-0x0000000000006000 could not "
       "be read: Bad address\navml: ")
edited("numbers that leave the unreadable out", "crash_bad",
       "summary's numbers", "stderr", " bytes unreadable",
       "0 bytes unreadable")


@fault("content where none was readable", "crash_bad", "zeros in their place")
def _(root, guest):
    put_pages(root, guest, "crash_bad", BAD_AT[:1])


def put_pages(root, guest, name, addresses):
    """The content of these pages, as the guest's RAM has it."""
    path = "%s/%s/out.lime" % (root, name)
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        at = 0
        while at < len(data):
            start = int.from_bytes(data[at + 8:at + 16], "little")
            last = int.from_bytes(data[at + 16:at + 24], "little")
            for page in addresses:
                if start <= page <= last:
                    to = at + 32 + page - start
                    data[to:to + PAGE] = guest.ram_page(page)
            at += 32 + last - start + 1
        file.seek(0)
        file.write(data)


# --- refusals ----------------------------------------------------------------

NONE = ("not_root", "unmarked", "lockdown")
REFUSED = NONE + ("mem", "no_kcore", "masked", "masked_empty",
                  "integrity_mem", "min_free_refused", "no_fit", "tmpfs",
                  "tmpfs_root", "bpf_user", "bpf_no_admin", "bpf_no_bpf",
                  "bpf_no_perfmon", "bpf_unmarked", "bpf_lockdown")

for _case in REFUSED:
    @fault("a message that says nothing", _case, "the error ")
    def _(root, _guest, name=_case):
        replace(root, name + "/stderr", "error: it did not work\n")

    @fault("a file left behind", _case, "no file left")
    def _(root, _guest, name=_case):
        put("%s/%s/out.lime" % (root, name), b"")

    edited("another exit status", _case, "exit status", "status", "1", "3")

for _case in NONE:
    @fault("a source without a reason of its own", _case, "the error ")
    def _(root, _guest, name=_case):
        lines = text_of(root, name + "/stderr").splitlines()
        replace(root, name + "/stderr", "\n".join(
            line.split(":")[0] + ": it is not so"
            if line.startswith("    2:") else line for line in lines))

    edited("a source not named", _case, "the error ", "stderr", "/dev/crash",
           "/dev/other")

for _case, _words in (("mem", "STRICT_DEVMEM"), ("masked", "--proc"),
                      ("masked_empty", "--proc"), ("tmpfs", "--force"),
                      ("tmpfs_root", "--force"), ("no_fit", "--force"),
                      ("min_free_refused", "--min-free"),
                      ("lockdown", "confidentiality"),
                      ("integrity_mem", "integrity"),
                      ("unmarked", "kpageflags"),
                      ("unmarked", "HardwareCorrupted"),
                      ("not_root", "run as root")):
    edited("no '%s' in the message" % _words, _case, "the error ", "stderr",
           _words, "-")

for _case, _mode in (("lockdown", "confidentiality"),
                     ("bpf_lockdown", "confidentiality"),
                     ("integrity", "integrity"),
                     ("integrity_mem", "integrity")):
    edited("no lockdown in the guest", _case, "is locked down", "state",
           "[%s]" % _mode, _mode)

edited("no word of what was taken for RAM", "no_admin", "a warning says",
       "stderr", "warning: ", "note: ")
edited("no word of what cannot be known", "unmarked_said", "a warning says",
       "stderr", "warning: ", "note: ")
edited("another warning too", "no_admin", "no other warning", "stderr",
       "avml: ", "warning: and this\navml: ")


# --- runs that had to end ----------------------------------------------------

for _case, _status, _reason in (("sigterm", "143", "stopped by SIGTERM"),
                                ("min_free", "1", "--min-free"),
                                ("tmpfs_force", "1", "No space left")):
    edited("another exit status", _case, "exit status", "status", _status,
           "0")
    edited("no reason", _case, "the error ", "stderr", _reason, "-")

    @fault("a file that ends within a record", _case, "well formed")
    def _(root, _guest, name=_case):
        path = "%s/%s/out.lime" % (root, name)
        os.truncate(path, os.path.getsize(path) - 1)

    @fault("no file", _case, "a file is left")
    def _(root, _guest, name=_case):
        remove(root, name + "/out.lime")

    @on_records("wrong content", "never changed", _case)
    def _(records, _guest):
        for record in records:
            record[5] = record[5][PAGE:] + record[5][:PAGE]

edited("less free than it had to be", "min_free", "whenever it was looked",
       "free", "10241 ", "10239 ")
edited("a disk that was never written to", "min_free",
       "whenever it was looked", "free", "20000 1024\n10241 ",
       "50000 1024\n50000 ")
edited("less free at the end", "min_free", "and at the end", "free_after",
       "10500", "9500")


@fault("a run that came to its end", "sigterm", "before all was written")
def _(root, _guest):
    remove(root, "sigterm/out.lime")
    os.link(os.path.realpath(root + "/plain/out.lime"),
            root + "/sigterm/out.lime")


# --- pages that need care ----------------------------------------------------

for _case in ("poisoned", "poisoned_crash", "integrity", "plugged"):
    edited("a poisoned page not named", _case, "named as unreadable",
           "stderr", "warning: 0x%016x" % POISONED_AT[0],
           "note: 0x%016x" % POISONED_AT[0])

    @fault("the content of a poisoned page", _case, "zeros in their place")
    def _(root, guest, name=_case):
        put_pages(root, guest, name, POISONED_AT[1:2])

edited("another reason", "poisoned", "named as unreadable", "stderr",
       "hardware poisoned (kpageflags)", "Bad address")
edited("another reason", "ballooned", "named as unreadable", "stderr",
       "offline (kpageflags)", "no page (kpageflags)")
edited("a range too short", "ballooned", "named as unreadable", "stderr",
       "-0x%016x could" % TAKEN[1], "-0x%016x could" % (TAKEN[1] - PAGE))


@fault("no balloon", "ballooned", "the host has taken")
def _(root, _guest):
    replace(root, "ballooned/kpageflags", bytes(9 << 20))


edited("a kernel that knows of no poison", "poisoned", "the kernel counts",
       "guest/corrupted", ": ", ": 0")
edited("a poisoned page that was asked for", "poisoned_crash",
       "asked for none of them", "crash", "touched 0", "touched 1")


@fault("no oracle", "poisoned", "hypervisor's RAM has the poisoned")
def _(root, _guest):
    path = root + "/guest/ram"
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[ram_at(POISONED_AT[0])] ^= 1
    replace(root, "guest/ram", bytes(data))


@fault("the content of a secret page", "secret", "zeros for the secret")
def _(root, guest):
    put_pages(root, guest, "secret", SECRET_AT[:1])


@fault("the content of a secret page", "secret_crash", "zeros in their place")
def _(root, guest):
    put_pages(root, guest, "secret_crash", SECRET_AT[:1])


@on_records("a planted page lost beside the secret ones",
            "planted pages found", "secret")
def _(records, guest):
    flip(records, min(guest.planted))


# --- memory that comes and goes ----------------------------------------------

edited("another reason", "offline", "named as unreadable", "stderr",
       "no page (kpageflags)", "Bad address")
edited("another reason", "offline_kcore", "named as unreadable", "stderr",
       "in no program header of the source", "no page (kpageflags)")
edited("no word of what came late", "plugged", "named as unreadable",
       "stderr", "it was plugged in after the run had begun", "Bad address")
edited("nothing plugged in", "plugged", "RAM of a device", "meanwhile",
       "System RAM (virtio_mem)", "nothing")
edited("no word of RAM that went", "gone", "a warning says", "stderr",
       "was RAM when the run began and is not any more", "was RAM")
edited("no word of headers that went", "gone", "a warning says", "stderr",
       "went out of the program headers", "went")
edited("RAM that did not go", "gone", "during the run", "meanwhile",
       "c0000000-febfffff",
       "%x-%x : System RAM\nc0000000-febfffff" % (DIMM[0], DIMM[1] - 1))
edited("no DIMM", "offline", "RAM of a device", "iomem",
       "%x-" % DIMM[0], "%x-" % (DIMM[0] + PAGE))


# --- avml sources ------------------------------------------------------------

def on_json(what, words, name="sources_crash"):
    """The function changes what was said."""
    def register(function):
        @fault(what, name, words)
        def _(root, _guest):
            path = name + "_json/stdout"
            said = json.loads(text_of(root, path))
            function(said)
            replace(root, path, json.dumps(said))
        return function
    return register


for _case in ("plain", "crash", "masked", "masked_empty", "bpf", "no_rawio",
              "no_admin", "user", "user_namespace", "unmarked", "integrity",
              "lockdown"):
    @on_json("another reason", "the reasons", "sources_" + _case)
    def _(said):
        said["sources"][1]["reason"] = "other"

    @fault("another reason in words", "sources_" + _case, "in words")
    def _(root, _guest, name="sources_" + _case):
        lines = text_of(root, name + "/stdout").splitlines()
        lines[2] = "/dev/mem  no   other: why"
        replace(root, name + "/stdout", "\n".join(lines))

    @fault("another exit status", "sources_" + _case, "exit status")
    def _(root, _guest, name="sources_" + _case):
        old = text_of(root, name + "/status")
        replace(root, name + "/status", "01"[old == "0"])

    @fault("a file changed", "sources_" + _case, "no file of the guest")
    def _(root, _guest, name="sources_" + _case):
        edit(root, name + "/after", "/bin/7 1", "/bin/7 9")

edited("JSON with another exit status", "sources_crash", "exit status",
       "sources_crash_json/status", "0", "1")
edited("text that is no JSON", "sources_crash", "it is JSON",
       "sources_crash_json/stdout", "{", "")
edited("yes in words that is no", "sources_crash", "in words", "stdout",
       "yes", "no ")


@fault("a file made", "sources_crash", "no file made")
def _(root, _guest):
    put(root + "/sources_crash/out.lime", b"")


@fault("a new file in the guest", "sources_crash", "no file of the guest")
def _(root, _guest):
    edit(root, "sources_crash/after", "/bin/0 ", "/new 1 1 1\n/bin/0 ")


@on_json("a key too few", "has the keys")
def _(said):
    del said["kpageflags"]


@on_json("a key too few of a source", "has the keys")
def _(said):
    del said["sources"][0]["remedy"]


@on_json("two sources exchanged", "the reasons", "sources_plain")
def _(said):
    said["sources"][0:2] = said["sources"][1::-1]


@on_json("two that are read first", "use and message")
def _(said):
    said["sources"][1]["primary"] = True


@on_json("a source of use that is not usable", "use and message")
def _(said):
    said["sources"][2]["usable"] = True


@on_json("a refusal without a message", "use and message")
def _(said):
    said["sources"][2]["message"] = None


@on_json("another path", "use and message")
def _(said):
    said["sources"][2]["path"] = "/dev/kmem"


@on_json("another kernel", "what else")
def _(said):
    said["kernel"] = "5.0"


@on_json("root where there is none", "what else", "sources_user")
def _(said):
    said["root"] = True


@on_json("a capability too many", "what else", "sources_no_rawio")
def _(said):
    said["cap_sys_rawio"] = True


@on_json("another lockdown", "what else", "sources_integrity")
def _(said):
    said["lockdown"] = "none"


@on_json("flags that are not there", "what else", "sources_unmarked")
def _(said):
    said["kpageflags"] = True


@on_json("other RAM", "iomem: ")
def _(said):
    said["iomem"]["bytes"] += PAGE


@on_json("no word of what iomem hides", "iomem: ", "sources_no_admin")
def _(said):
    said["iomem"]["error"] = None
