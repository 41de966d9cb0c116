# SPDX-License-Identifier: MIT
"""Faults of a bundle."""

import hashlib
import os
import re

import btf
from faults import edit, fault, flip, on_records, remove, replace
from made_up import BANNER_AT, TYPES


@fault("a file that is not there", "bundle", "10 files")
def _(root, _guest):
    remove(root, "bundle/bundle.modules")


@fault("a file for everybody to read", "bundle", "10 files")
def _(root, _guest):
    # A copy of its own: the results that it comes from stay as they are.
    path = root + "/bundle/bundle.version"
    with open(path, "rb") as file:
        data = file.read()
    replace(root, "bundle/bundle.version", data)
    os.chmod(path, 0o644)


@fault("another digest", "bundle", "10 files")
def _(root, _guest):
    with open(root + "/bundle/stderr", encoding="ascii") as file:
        digest = re.search("iomem: .* SHA-256 ([0-9a-f]+)", file.read())[1]
    edit(root, "bundle/stderr", digest, "0" * 64)


def change(root, name, old, new):
    """A file's text, and what is told of it."""
    path = "%s/bundle/bundle.%s" % (root, name)
    with open(path, "rb") as file:
        was = file.read()
    data = re.sub(old, new, was) if old else new
    if data == was:
        raise ValueError("%s has no %r" % (name, old))
    replace(root, "bundle/bundle." + name, data)
    os.chmod(path, 0o600)
    with open(root + "/bundle/stderr", encoding="ascii") as file:
        said = file.read()
    replace(root, "bundle/stderr", re.sub(
        r"(bundle: %s: )\d+( bytes of \S+, SHA-256 )\S+" % name,
        r"\g<1>%d\g<2>%s" % (len(data), hashlib.sha256(data).hexdigest()),
        said))


@fault("a report of another kernel", "bundle", "the report tells")
def _(root, _guest):
    edit(root, "bundle/report", '"kernel_release": "', '"kernel_release": "9')


@fault("a digest of another image", "bundle", "the report tells")
def _(root, _guest):
    edit(root, "bundle/out.lime.sha256", "  out", " *out")


@fault("a record without its time", "bundle", "the report tells")
def _(root, _guest):
    edit(root, "bundle/report", '"read_begin": 0.1', '"read_begin": 0.0')


@fault("vmcoreinfo of another kernel", "bundle", "vmcoreinfo and version")
def _(root, _guest):
    change(root, "vmcoreinfo", b"OSRELEASE=", b"OSRELEASE=4")


@fault("the command line of another boot", "bundle", "cmdline is the guest's")
def _(root, _guest):
    change(root, "cmdline", b"quiet", b"loud")


@fault("hidden addresses", "bundle", "kallsyms has the addresses")
def _(root, _guest):
    change(root, "kallsyms", rb"(?m)^[0-9a-f]+", b"0000000000000000")


@fault("addresses of another boot", "bundle", "vmcoreinfo agrees")
def _(root, _guest):
    change(root, "kallsyms", b"ffffffff80", b"ffffffff81")


@fault("no types", "bundle", "btf can be read")
def _(root, _guest):
    change(root, "btf", None, b"\x7fELF" * 10)


@fault("a type less", "bundle", "btf has task_struct")
def _(root, _guest):
    change(root, "btf", None, btf.build(
        {name: TYPES[name] for name in TYPES if name != "mm_struct"}))


@fault("types of another kernel", "bundle", "by types and symbols")
def _(root, _guest):
    size, members = TYPES["task_struct"]
    change(root, "btf", None, btf.build(
        {**TYPES, "task_struct": (size, {**members, "tasks": 24})}))


@on_records("another banner", "the image has the banner", "bundle")
def _(records, _guest):
    flip(records, BANNER_AT)
