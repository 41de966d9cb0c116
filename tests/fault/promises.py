# SPDX-License-Identifier: MIT
"""What avml promises, and whether a run kept it."""

import hashlib
import json
import os
import re
import signal
import stat

import machine  # noqa: F401 (it shows the way to tests/lib)
import ranges as rng
import said
from image import ImageError, MappedFile
from reference import check_memory, is_prefix
from said import Broken
from salvaged import what_is_wrong
from snappy import SnappyError

SANITIZER_STATUS = 99
UNSAFE_STATUS = 98
# By which a file is removed: without them it can only be emptied.
REMOVING = {"unlink", "fstat64", "lstat64"}
PRECIOUS = b"what was there before"


def check_wrecks(run):
    """What no run may do, whatever happens to it."""
    if run.status is None:
        raise Broken("did not end")
    if run.status < 0:
        raise Broken("ended by signal %d" % -run.status)
    if run.status == UNSAFE_STATUS:
        raise Broken("opened what belongs to this machine")
    if run.status == SANITIZER_STATUS or re.search(
            r"Sanitizer|runtime error:", run.said):
        raise Broken("the sanitizer found something")
    if run.unreturned is None:
        raise Broken("did not come to its end")
    for count, what in zip(run.unreturned,
                           ("descriptors", "mappings", "threads")):
        if count:
            raise Broken("%d %s not given back" % (count, what))


def check_names(run, scenario):
    """Nothing beside the image is left in its directory."""
    good = {"out"} if scenario.to in ("file", "fd", "sent") else set()
    if scenario.digest:
        good = good | {"out.sha256"}
    if scenario.report:
        good = good | {"out.report"}
    if scenario.old == "linked":
        good = good | {"other"}
    if scenario.bundle:
        good = good | {"out.d"}
    names = set(os.listdir(run.dir))
    if names - good:
        raise Broken("left behind: %s" % " ".join(sorted(names - good)))
    if scenario.old == "linked":
        with open(os.path.join(run.dir, "other"), "rb") as file:
            if file.read() != PRECIOUS:
                raise Broken("the old file's other name shows the image")


def check_mode(run, scenario):
    # An old file may lie where there are no modes.
    if scenario.to not in ("file", "sent") or scenario.old or not os.path.exists(run.out):
        return
    mode = stat.S_IMODE(os.stat(run.out).st_mode)
    if mode != 0o600:
        raise Broken("mode %o" % mode)


def check_digest(run, scenario):
    """A digest that stands beside an image is that image's."""
    path = run.out + ".sha256"
    if not scenario.digest or not os.path.exists(path):
        return
    with open(path, "rb") as file:
        line = file.read()
    if not line or b"\n" not in line and run.killed:
        return
    if scenario.to == "pipe":
        image, name = run.stdout, b"-"
    elif os.path.exists(run.out):
        with open(run.out, "rb") as file:
            image, name = file.read(), b"out"
    else:
        raise Broken("a digest, and no image")
    if line != hashlib.sha256(image).hexdigest().encode() + b"  " + name + \
            b"\n":
        raise Broken("the digest is of something else: %r" % line)


def check_report(run, scenario):
    """Whole lines, the last with the status, unless something is told."""
    path = run.out + ".report"
    if not scenario.report:
        return
    unsure = run.killed or "report" in run.said
    lines = []
    if os.path.exists(path):
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    if lines and lines.pop() and not unsure:
        raise Broken("the report's last line has no end")
    try:
        told = [json.loads(line) for line in lines]
    except ValueError as error:
        raise Broken("the report is no JSON: %s" % error) from error
    if told and told[0]["type"] != "header":
        raise Broken("the report has no header")
    if unsure:
        return
    # Before there is a report, a run may fail without one.
    if not told and run.status == 1 and not os.path.exists(run.out):
        return
    if not told or told[-1]["type"] != "summary" or \
            told[-1]["status"] != run.status:
        raise Broken("the report does not tell status %d" % run.status)


def bundle_files(made):
    """What a bundle of the made-up machine holds, but the note of kcore."""
    proc = ["kallsyms", "cmdline", "version", "modules", "iomem"]
    files = {name: os.path.join(made.proc, name) for name in proc}
    for name, path in (("btf", "sys/kernel/btf/vmlinux"),
                       ("os-release", "etc/os-release"),
                       ("System.map", "boot/System.map-6.1.0-test"),
                       ("vmlinuz", "boot/vmlinuz-6.1.0-test")):
        files[name] = os.path.join(made.host_root, path)
    return files


def check_bundle(run, made):
    """Each file is whole, or is told not to be there."""
    directory = run.out + ".d"
    present = set(os.listdir(directory)) if os.path.exists(directory) else set()
    files = bundle_files(made)
    strange = present - files.keys() - {"vmcoreinfo"}
    if strange:
        raise Broken("in the bundle: %s" % " ".join(sorted(strange)))
    told = dict(re.findall(r"^(?:note|warning): bundle: (\S+): (.*)$",
                           run.said, re.M))
    for name in sorted(files.keys() | {"vmcoreinfo"}):
        what = told.get(name, "")
        good = re.search(r"^(\d+) bytes of .*, SHA-256 ([0-9a-f]{64})$", what)
        if name not in present:
            # Where there was no place for it, or all ended at once.
            none = run.status == 1 or "there will be no bundle" in run.said
            if good or not none and not what:
                raise Broken("no %s in the bundle, told: %s" % (name, what))
            continue
        with open(os.path.join(directory, name), "rb") as file:
            data = file.read()
        if not good:
            # Told, and not to be helped.
            if "unlinkat" in run.hit_calls and "not be removed" in what:
                continue
            raise Broken("%s is in the bundle, and not told: %s"
                         % (name, what))
        if (len(data), hashlib.sha256(data).hexdigest()) != \
                (int(good[1]), good[2]):
            raise Broken("%s: its digest is another" % name)
        if name in files:
            with open(files[name], "rb") as file:
                if file.read() != data:
                    raise Broken("%s: the bundle has another" % name)
    if run.harmless and present != files.keys() | {"vmcoreinfo"}:
        raise Broken("%s must change nothing" % run.harmless)


def is_old(run):
    with open(run.out, "rb") as file:
        return file.read(len(PRECIOUS) + 1) == PRECIOUS


# ---- The ends of a run ------------------------------------------------------

def check_text(run, scenario, reference):
    """An answer on stdout."""
    if run.status == 1:
        said.error(run.said)
    elif run.status != 0:
        raise Broken("status %d" % run.status)
    if run.harmless and (run.status, run.stdout) != \
            (reference.status, reference.data):
        raise Broken("%s must change nothing" % run.harmless)
    if run.status == 0 and scenario.args[0] in ("verify", "info") and \
            run.stdout != reference.data:
        raise Broken("status 0, but not all that was to be said")
    if "--json" in scenario.args and (run.stdout or run.status == 0):
        try:
            json.loads(run.stdout)
        except ValueError as error:
            raise Broken("no JSON: %s" % error) from error


def check_sent(run, scenario, reference):
    """What a run that failed has sent; whether there is no file to look at."""
    if scenario.to in ("pipe", "tcp"):
        if not reference.data.startswith(run.stdout):
            raise Broken("what was sent is no beginning of the image")
        return True
    # Of what fails after the server has confirmed it, all is there.
    if scenario.to in ("net", "sent") and \
            run.stdout not in (b"", reference.data):
        raise Broken("a part of the image, or another, was left there")
    if run.stdout and ("was not uploaded" in run.said or
                       "nothing was left at" in run.said):
        raise Broken("it is there, and the error says that it is not")
    return scenario.to == "net"


def check_kept(run, scenario, reference, made):
    """Whether the image was finished, but not sent: then it is there."""
    if scenario.to != "sent" or not any(
            words in run.said for words in ("was not uploaded", "is not known",
                                            "there is no image to send")):
        return False
    if not os.path.exists(run.out):
        raise Broken("the file that was not sent is not there any more")
    unreadable = said.unreadable(run.said)
    if not os.path.getsize(run.out):
        # Of nothing but zeros no record is made.
        if rng.merge([(start, end) for start, end, _ in unreadable]) != \
                made.wanted:
            raise Broken("the image that was not sent is empty")
    elif unreadable:
        check_memory(run.out, scenario, run, made)
    elif os.path.getsize(run.out) != len(reference.image) or \
            not is_prefix(run.out, reference):
        raise Broken("the file that was not sent is another")
    return True


def check_failed(run, scenario, reference, made):
    """After status 1: whole records, nothing, or what was there before."""
    error = said.error(run.said)
    if check_sent(run, scenario, reference) or \
            check_kept(run, scenario, reference, made):
        return
    if not os.path.exists(run.out):
        if scenario.to == "fd" or scenario.old == "plain":
            raise Broken("the file that was there is gone")
        if scenario.old == "linked" and run.before_image:
            raise Broken("the file that was there is gone")
        return
    if scenario.old and is_old(run):
        return
    if reference.image is None:
        # Made, and not to be removed again: it is empty at least.
        if REMOVING & set(run.hit_calls) and not os.path.getsize(run.out):
            return
        raise Broken("a file, where there should be none")
    if run.before_image:
        raise Broken("the old file was touched before the image was begun")
    if not is_prefix(run.out, reference):
        raise Broken("what is left is no beginning of the image")
    size = os.path.getsize(run.out)
    if size == 0 and scenario.to in ("file", "sent") and not scenario.old and \
            not REMOVING & set(run.hit_calls):
        raise Broken("an empty file is left of a new one")
    if size in reference.borders:
        return
    # Told, and not to be helped: the file could not be cut.
    if "ftruncate64" not in run.hit_calls or said.UNCUT not in error[0]:
        raise Broken("what is left, %d bytes, is not whole records" % size)


def check_killed(run, scenario, reference, made):
    """The beginning of the image, out of which salvage gets all there is."""
    if check_sent(run, scenario, reference):
        return
    if not os.path.exists(run.out) or scenario.old and is_old(run):
        return
    if not is_prefix(run.out, reference):
        raise Broken("what is left is no beginning of the image")
    if scenario.kind == "raw":
        return
    rest = run.out + ".rest"
    status = run.salvage(run.out, rest)
    wrong = what_is_wrong(
        reference.image, reference.borders, os.path.getsize(run.out), status,
        MappedFile(rest) if os.path.exists(rest) else None, made.memory,
        reference.hidden)
    if wrong:
        raise Broken("salvage: %s" % wrong)


def is_same(run, scenario, reference):
    if scenario.to in ("pipe", "tcp", "net", "sent"):
        return run.stdout == reference.data
    return os.path.getsize(run.out) == len(reference.image) and \
        is_prefix(run.out, reference)


def check_image(run, scenario, reference, made):
    """An image that is finished; "partial" when more of it is unreadable."""
    if said.has_error(run.said):
        raise Broken("status %d, but an error is told" % run.status)
    # Of the digest's own file it is told, and the image is as good.
    if run.lost_end and not re.search(
            "the digest is not in|the report .* is incomplete", run.said):
        raise Broken("%s failed, and the status is %d"
                     % (run.lost_end, run.status))
    if scenario.to == "file" and run.stdout:
        raise Broken("something went to stdout")
    if scenario.to == "sent" and os.path.exists(run.out):
        raise Broken("the file was sent, and is still there")
    if run.status == reference.status and is_same(run, scenario, reference):
        return "survived"
    if run.harmless:
        raise Broken("%s must change nothing" % run.harmless)
    if not scenario.partial:
        raise Broken("status %d, but the image is not the whole one"
                     % run.status)
    path = run.out
    if scenario.to in ("pipe", "tcp", "net", "sent"):
        path = run.out + ".sent"
        with open(path, "wb") as file:
            file.write(run.stdout)
    try:
        total = check_memory(path, scenario, run, made)
    except (ImageError, SnappyError) as error:
        raise Broken(str(error)) from error
    if (run.status == 3) != (total > 0):
        raise Broken("status %d, %d bytes unreadable" % (run.status, total))
    more = total - sum(end - start for start, end in reference.hidden)
    if run.most_pages and more > run.most_pages * rng.PAGE:
        raise Broken("%d bytes more unreadable of so few faults" % more)
    return "partial" if total else "survived"


def judge(run, scenario, reference, made):
    """survived, partial, failed or killed; Broken for a broken promise."""
    if run.killed and run.status == -signal.SIGKILL:
        check_killed(run, scenario, reference, made)
        check_digest(run, scenario)
        check_report(run, scenario)
        return "killed"
    check_wrecks(run)
    if scenario.kind == "text":
        check_text(run, scenario, reference)
        return "failed" if run.status > reference.status else "survived"
    check_names(run, scenario)
    check_mode(run, scenario)
    check_digest(run, scenario)
    check_report(run, scenario)
    if scenario.bundle:
        check_bundle(run, made)
    if run.status == 1:
        if run.harmless and reference.status != 1:
            raise Broken("%s must not make a run fail" % run.harmless)
        check_failed(run, scenario, reference, made)
        return "failed"
    if run.status in (reference.status, 0, 3) and reference.status != 1:
        return check_image(run, scenario, reference, made)
    raise Broken("status %d" % run.status)
