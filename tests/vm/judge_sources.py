# SPDX-License-Identifier: MIT
"""Which source is taken, and why not another (cases_sources.sh)."""

import json
import os

from acquired import PAGE
from guest import FAULT, size
from judging import (case, check_image, check_refusal, check_status)

CRASH, KCORE, MEM, BPF = "/dev/crash", "/proc/kcore", "/dev/mem", "bpf"
NONE_WORKS = "no source of memory works"


def numbered(number, *words):
    """A cause in an error's chain, with the words in their order."""
    return r"^ +%d: .*%s" % (number, ".*".join(words))


def check_none_works(tap, run, *causes):
    """Each source with its own reason: lists of words."""
    check_refusal(tap, run, NONE_WORKS, *(
        numbered(number, *words) for number, words in enumerate(causes)))


# --- /dev/crash --------------------------------------------------------------

def check_counts(tap, run, pages=0):
    """What the driver counted (crash.c): at least so many reads, all right."""
    with open(os.path.join(run.dir, "crash"), encoding="ascii") as file:
        counts = {name: int(value) for name, value in map(str.split, file)}
    tap.check(counts["reads"] >= pages and counts["wrong"] == 0,
              "%s: %d reads of the driver, each of one whole page"
              % (run.name, counts["reads"]), "%s" % counts)
    return counts


def check_crash(tap, run, guest, kind="v1", unreadable=(), warnings=()):
    image = check_image(tap, run, guest, kind, CRASH, unreadable, warnings)
    marked = sum(end - start for start, end, reason in unreadable
                 if "kpageflags" in reason)
    pages = (size(guest.ranges) - marked) // PAGE
    counts = check_counts(tap, run, pages)
    # Some are asked for twice: to try the source, and where reads fail.
    tap.check(counts["reads"] <= pages + 100,
              "%s: these are the %d pages to be read, and few more"
              % (run.name, pages), "%d" % counts["reads"])
    return image, counts


def bad_pages(tap, run, guest):
    """Those that the driver refused: planted ones, on both sides of 4 GiB."""
    with open(os.path.join(run.dir, "bad"), encoding="ascii") as file:
        bad = [int(word, 16) for word in file.read().split(",")]
    tap.check(len(bad) == 5 and all(at in guest.planted for at in bad)
              and min(bad) >> 32 < max(bad) >> 32,
              "%s: the driver refuses planted pages on both sides of 4 GiB"
              % run.name, "%s" % bad)
    return bad


@case
def crash(tap, run, guest):
    check_crash(tap, run, guest)


@case
def crash_filled(tap, run, guest):
    bad = bad_pages(tap, run, guest)
    check_crash(tap, run, guest, warnings=[
        r"\b%d bytes that /dev/crash could not read" % (len(bad) * PAGE)])


@case
def crash_bad(tap, run, guest):
    check_crash(tap, run, guest, unreadable=[
        (at, at + PAGE, FAULT) for at in bad_pages(tap, run, guest)])


@case
def crash_alone(tap, run, guest):
    check_crash(tap, run, guest, "v2")


# --- /dev/mem ----------------------------------------------------------------

def check_bpf_instead(tap, run, guest, kcore, mem):
    """BPF reads, and the words say why the others do not."""
    check_image(tap, run, guest.without_kcore(), source=BPF,
                unreadable=guest.secret())
    lacks = [words for words in ((CRASH, "No such file"), (KCORE, kcore),
                                 (MEM, mem))
             if run.says("^note: source ", *words)]
    tap.check(not lacks, "%s: it says why the others are not used" % run.name,
              "%s in: %s" % (lacks, run.stderr[:800]))
    tap.check(not run.says("^note: source bpf ", "program", "kernel"),
              "%s: it says what that does to the kernel" % run.name,
              run.stderr[:800])


@case
def mem_alone(tap, run, guest):
    check_bpf_instead(tap, run, guest, "masked", "STRICT_DEVMEM")


@case
def mem(tap, run, _guest):
    check_refusal(tap, run, MEM, "STRICT_DEVMEM", "1 MiB")


# --- who may not -------------------------------------------------------------

@case
def not_root(tap, run, _guest):
    check_none_works(tap, run, (CRASH, "No such file"),
                     (KCORE, "run as root"), (MEM, "run as root"),
                     (BPF, "run as root"))


@case
def no_rawio(tap, run, guest):
    check_bpf_instead(tap, run, guest, "CAP_SYS_RAWIO", "CAP_SYS_RAWIO")


@case
def no_admin(tap, run, guest):
    check_image(tap, run, guest.of_kcore(), warnings=[
        "CAP_SYS_ADMIN.*headers of /proc/kcore"])


# --- where there is no kcore -------------------------------------------------

@case
def no_kcore(tap, run, _guest):
    check_refusal(tap, run, "/tmp/proc/kcore", "does not exist")


@case
def masked(tap, run, _guest):
    check_refusal(tap, run, "/proc/kcore is masked", "--proc")


@case
def masked_empty(tap, run, _guest):
    check_refusal(tap, run, "/proc/kcore is empty or masked", "--proc")


# --- lockdown ----------------------------------------------------------------

def check_locked(tap, run, mode):
    with open(run.path("state"), encoding="ascii") as file:
        state = file.read().strip()
    tap.check("[%s]" % mode in state,
              "%s: the guest's kernel is locked down" % run.name, state)


@case
def integrity(tap, run, guest):
    check_locked(tap, run, "integrity")
    check_image(tap, run, guest, unreadable=guest.poisoned())


@case
def integrity_mem(tap, run, _guest):
    check_locked(tap, run, "integrity")
    check_refusal(tap, run, MEM, "lockdown is 'integrity'")


@case
def lockdown(tap, run, _guest):
    check_locked(tap, run, "confidentiality")
    words = "lockdown is 'confidentiality'"
    check_none_works(tap, run, (CRASH, "No such file"), (KCORE, words),
                     (MEM, words), (BPF, words))


# --- avml sources ------------------------------------------------------------

KEYS = ["avml", "kernel", "lockdown", "root", "cap_sys_rawio", "cap_sys_admin",
        "iomem", "kpageflags", "sources"]
IOMEM_KEYS = ["path", "ranges", "bytes", "error"]
SOURCE_KEYS = ["name", "path", "usable", "primary", "reason", "message",
               "remedy"]
PATHS = {"crash": CRASH, "kcore": KCORE, "mem": MEM, "bpf": BPF}
NORMAL = {"lockdown": "none", "root": True, "cap_sys_rawio": True,
          "cap_sys_admin": True, "kpageflags": True}


def check_sources(tap, run, guest, crash, kcore, mem, bpf, iomem=True,
                  **facts):
    """The reasons of the four, and what else is not as normal.

    iomem: whether it tells who runs this what is RAM.
    """
    reasons = {"crash": crash, "kcore": kcore, "mem": mem, "bpf": bpf}
    works = "usable" in reasons.values()
    facts = dict(NORMAL, **facts)
    check_words(tap, run, reasons, works)
    check_json(tap, type(run)(os.path.dirname(run.dir), run.name + "_json"),
               guest, reasons, iomem, facts)
    if bpf == "usable":
        lacks = run.says("^note: to try source bpf, the kernel was asked")
        tap.check(not lacks, "%s: a note tells what the kernel was asked for"
                  % run.name, run.stderr)
    for part in ("", "_json"):
        left = os.listdir(run.dir + part)
        made = set(left) - {"cmd", "status", "stdout", "stderr", "seconds",
                            "before", "after", "crash"}
        tap.check(not made, "%s%s: no file made" % (run.name, part),
                  " ".join(made))
    changed = [name for name in ("before", "after")
               for line in run.lines(name)
               if line not in run.lines("after" if name == "before"
                                        else "before")]
    tap.check(not changed and len(run.lines("before")) > 20,
              "%s: no file of the guest changed" % run.name,
              "%d lines differ" % len(changed))


def check_words(tap, run, reasons, works):
    check_status(tap, run, 0 if works else 1, stdout=True)
    lines = run.stdout.splitlines()
    wrong = []
    for name, reason in reasons.items():
        line = next((line for line in lines if line.startswith(PATHS[name])),
                    "")
        word = r" yes " if reason == "usable" else r" no .*" + reason
        if not run.has(word, line):
            wrong.append("%s: %s" % (word, line))
    tap.check(not wrong, "%s: in words: %s" % (run.name, reasons),
              "; ".join(wrong))


def check_json(tap, run, guest, reasons, iomem, facts):
    works = "usable" in reasons.values()
    check_status(tap, run, 0 if works else 1, stdout=True)
    try:
        said = json.loads(run.stdout)
    except ValueError as error:
        tap.check(False, "%s: it is JSON" % run.name, "%s" % error)
        return
    sources = said.get("sources", [])
    tap.check(list(said) == KEYS and list(said["iomem"]) == IOMEM_KEYS and
              all(list(source) == SOURCE_KEYS for source in sources),
              "%s: it has the keys that it has to have" % run.name,
              "%s %s" % (list(said), [list(s) for s in sources]))
    seen = {source["name"]: source["reason"] for source in sources}
    tap.check(seen == reasons and list(seen) == list(PATHS),
              "%s: the reasons: %s" % (run.name, reasons), "%s" % seen)
    first = next((name for name in reasons if reasons[name] == "usable"), None)
    wrong = [source["name"] for source in sources if not (
        source["path"] == PATHS[source["name"]]
        and source["usable"] is (source["reason"] == "usable")
        and source["primary"] is (source["name"] == first)
        and bool(source["message"]) is not source["usable"]
        and not (source["usable"] and source["remedy"]))]
    tap.check(not wrong, "%s: path, use and message of each" % run.name,
              " ".join(wrong))
    odd = {name: said.get(name) for name in facts
           if said.get(name) != facts[name]}
    tap.check(not odd and said["avml"] and guest.release == said["kernel"],
              "%s: what else it says is so" % run.name,
              "%s %s" % (odd, said["kernel"]))
    check_json_iomem(tap, run, guest, said["iomem"], iomem)


def check_json_iomem(tap, run, guest, said, known):
    want = [len(guest.whole), size(guest.whole)] if known else [0, 0]
    tap.check([said["ranges"], said["bytes"]] == want
              and said["path"] == "/proc/iomem"
              and ("CAP_SYS_ADMIN" in (said["error"] or "")) is not known,
              "%s: iomem: %d ranges, %d bytes" % (run.name, *want),
              "%s" % said)


@case
def sources_plain(tap, run, guest):
    check_sources(tap, run, guest, "missing", "usable", "strict-devmem",
                  "unneeded")


@case
def sources_crash(tap, run, guest):
    check_sources(tap, run, guest, "usable", "usable", "strict-devmem",
                  "unneeded")
    check_counts(tap, run, 1)


@case
def sources_masked(tap, run, guest):
    check_sources(tap, run, guest, "missing", "masked", "strict-devmem",
                  "usable")


@case
def sources_masked_empty(tap, run, guest):
    check_sources(tap, run, guest, "missing", "masked", "strict-devmem",
                  "usable")


@case
def sources_no_rawio(tap, run, guest):
    check_sources(tap, run, guest, "missing", "capability", "capability",
                  "usable",
                  cap_sys_rawio=False)


@case
def sources_no_admin(tap, run, guest):
    check_sources(tap, run, guest, "missing", "usable", "no-ram", "unneeded",
                  iomem=False, cap_sys_admin=False)


@case
def sources_user(tap, run, guest):
    check_sources(tap, run, guest, "missing", "not-root", "not-root",
                  "not-root",
                  iomem=False, root=False, cap_sys_rawio=False,
                  cap_sys_admin=False, kpageflags=False)


@case
def sources_user_namespace(tap, run, guest):
    # It has all capabilities, but in its namespace only.
    check_sources(tap, run, guest, "missing", "user-namespace",
                  "user-namespace", "user-namespace", iomem=False,
                  kpageflags=False)


@case
def sources_unmarked(tap, run, guest):
    check_sources(tap, run, guest, "missing", "unsafe", "unsafe", "unsafe",
                  kpageflags=False)


@case
def sources_integrity(tap, run, guest):
    check_sources(tap, run, guest, "missing", "usable", "lockdown", "unneeded",
                  lockdown="integrity")


@case
def sources_lockdown(tap, run, guest):
    check_sources(tap, run, guest, "missing", "lockdown", "lockdown",
                  "lockdown",
                  lockdown="confidentiality")
