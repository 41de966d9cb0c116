#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks into a store of S3's kind, by requests of its own that are signed.

  s3.py KEYS ENDPOINT/BUCKET get KEY FILE     status 1: there is none
  s3.py KEYS ENDPOINT/BUCKET uploads          a line for each that is unfinished

KEYS is as s3store.py has it.
"""

import hashlib
import http.client
import os
import sys
import time
import urllib.parse
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sigv4  # noqa: E402

EMPTY = hashlib.sha256(b"").hexdigest()


def get(keys, host, path, pairs):
    headers = {
        "host": host,
        "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "x-amz-content-sha256": EMPTY,
    }
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    headers["authorization"] = sigv4.authorize(
        keys, "GET", path, pairs, headers, EMPTY, headers["x-amz-date"])
    target = sigv4.encode(path, "/")
    if pairs:
        target += "?" + sigv4.canonical_query(pairs)
    there = http.client.HTTPConnection(host, timeout=20)
    there.request("GET", target, headers=headers)
    answer = there.getresponse()
    return answer.status, answer.read()


def main(path, place, what, *words):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    keys = sigv4.Keys(lines[0], lines[1], lines[2] or None, lines[3])
    place = urllib.parse.urlsplit(place)
    if what == "uploads":
        status, body = get(keys, place.netloc, place.path, [("uploads", "")])
        assert status == 200, body
        for element in xml.etree.ElementTree.fromstring(body).iter():
            if element.tag.rpartition("}")[2] == "Key":
                print(element.text)
        return
    key, to = words
    status, body = get(keys, place.netloc, f"{place.path}/{key}", [])
    if status == 404 and b"NoSuchKey" in body:
        sys.exit(1)
    assert status == 200, body
    with open(to, "wb") as file:
        file.write(body)


if __name__ == "__main__":
    main(*sys.argv[1:])
