# SPDX-License-Identifier: MIT
"""Faults of the cases about BPF."""

from faults import edit, fault, flip, on_records
from faults_sources import edited, put_pages
from made_up import SECRET_AT

for _case in ("mem_alone", "no_rawio"):
    edited("another source", _case, "names the source", "stderr", "from bpf",
           "from /proc/kcore")
    edited("no word of why not another", _case, "why the others", "stderr",
           "source /dev/mem is not", "source /dev/other is not")
    edited("no word of the program", _case, "does to the kernel", "stderr",
           "puts a program", "puts something")

for _case in ("bpf", "bpf_threads", "bpf_kptr", "bpf_root", "bpf_forced",
              "bpf_secret", "bpf_kfence"):
    edited("another source", _case, "names the source", "stderr", "from bpf",
           "from /proc/kcore")

    @on_records("a planted page lost", "planted pages found", _case)
    def _(records, guest):
        flip(records, min(guest.planted))

edited("another source", "bpf_compressed", "names the source", "stderr",
       "from bpf", "from /proc/kcore")


@on_records("a page that kcore has otherwise", "as kcore has them",
            "bpf_threads")
def _(records, guest):
    flip(records, guest.text_pages()[0])


@on_records("a planted page that kcore has otherwise", "as kcore has them",
            "bpf_threads")
def _(records, guest):
    flip(records, max(guest.planted))


edited("no word of what was tried", "sources_bpf", "asked for", "stderr",
       "note: ", "")
edited("another type of program", "bpf_threads", "one program", "report",
       "syscall", "kprobe")
edited("more than one program", "bpf_threads", "one program", "report",
       '"programs": 1', '"programs": 2')
edited("more programs loaded", "bpf_threads", "one program", "report",
       '"loads": 4', '"loads": 5')
edited("no word of what is not known", "bpf_forced", "a warning says",
       "stderr", "warning: ", "note: ")
edited("a secret page not named", "bpf_secret", "named as unreadable",
       "stderr", "warning: 0x%016x" % SECRET_AT[0],
       "note: 0x%016x" % SECRET_AT[0])


@fault("the content of a secret page", "bpf_secret", "zeros in their place")
def _(root, guest):
    put_pages(root, guest, "bpf_secret", SECRET_AT[:1])


edited("a pool that is larger", "bpf_kfence", "KFENCE's pool", "stderr",
       "-0x0000000002480000 could", "-0x0000000002680000 could")
for _case, _status in (("bpf_left", "0"), ("bpf_killed", "137")):
    edited("another exit status", _case, "exit status", "status", _status, "1")

    @fault("a program left", _case, "before and after")
    def _(root, _guest, name=_case):
        edit(root, name + "/bpf.after", "other", "avml_read")

    @fault("nothing was seen", _case, "while avml reads")
    def _(root, _guest, name=_case):
        edit(root, name + "/bpf.while", "avml_read", "other")

    @fault("more than one program", _case, "while avml reads")
    def _(root, _guest, name=_case):
        edit(root, name + "/bpf.while", "other", "avml_read")
