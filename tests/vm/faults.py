# SPDX-License-Identifier: MIT
"""Faults that selftest.py puts into good results, and how they are made.

Each is (what, case, words of the check that has to fail, function of the
copy's directory and the guest's facts).
"""

import os

from acquired import Image
from made_up import MAGIC, put, write_image, write_v2

FAULTS = []


def fault(what, name, words):
    def register(function):
        FAULTS.append((what, name, words, function))
        return function
    return register


def read_records(path):
    image = Image(path)
    return [[MAGIC, 1, r.start, r.end - 1, 0, image.read(r.start, r.end)]
            for r in image.records]


def on_records(what, words, name="plain"):
    """The function gets the records of the image and changes the list."""
    def register(function):
        def change(root, guest):
            path = "%s/%s/out.lime" % (root, name)
            records = read_records(path)
            function(records, guest)
            os.unlink(path)
            write_image(path, records)
            os.chmod(path, 0o600)
        FAULTS.append((what, name, words, change))
        return function
    return register


def on_v2(what, words, name="compressed"):
    """The function gets a compressed image's bytes, and changes them."""
    def register(function):
        def change(root, guest):
            path = "%s/%s/out.v2" % (root, name)
            image = Image(path)
            data = bytearray(image.file[:])
            function(data, image, guest)
            os.unlink(path)
            put(path, data)
            os.chmod(path, 0o600)
        FAULTS.append((what, name, words, change))
        return function
    return register


def piece_of(image, address):
    return next(p for p in image.pieces if p.start <= address < p.end)


def flip(records, address):
    for record in records:
        if record[2] <= address <= record[3]:
            data = bytearray(record[5])
            data[address - record[2]] ^= 1
            record[5] = bytes(data)


def holder(records, address):
    return next(i for i, r in enumerate(records) if r[2] <= address <= r[3])


def rewritten(what, words, **options):
    """The records are written anew, after the function changed the list."""
    def register(function):
        def change(root, guest):
            path = root + "/compressed/out.v2"
            records = read_records(path)
            function(records, guest)
            os.unlink(path)
            write_v2(path, records, **options)
            os.chmod(path, 0o600)
        change.rewrites = True
        FAULTS.append((what, "compressed", words, change))
        return function
    return register


def edit(root, name, old, new):
    path = os.path.join(root, name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed = text.replace(old, new)
    if changed == text:
        raise ValueError("%s has no %r" % (path, old))
    replace(root, name, changed)


def remove(root, name):
    os.unlink(os.path.join(root, name))


def replace(root, name, text):
    """A new file: in a copy of real results the old one is a link."""
    remove(root, name)
    put(os.path.join(root, name), text)
