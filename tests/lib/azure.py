#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The other end of a blob service: what an owner of the account does there.

  azure.py make BASE CONTAINER            a new container
  azure.py sas BASE CONTAINER[/BLOB] [--permissions racwl] [--minutes N]
               [--spoiled]                a URL with a signature (SAS)
  azure.py get BASE CONTAINER/BLOB OUT    its bytes; status 1: there is none
  azure.py head BASE CONTAINER/BLOB       its headers; status 1: there is none
  azure.py blocks BASE CONTAINER/BLOB     committed|uncommitted NAME SIZE, each

BASE is http://HOST:PORT/ACCOUNT; the account is that of the emulator, whose
key all the world knows.  --spoiled: the signature is not right.
--minutes of less than 0: it has expired.

Requests are signed as Microsoft's "Authorize with Shared Key" has it, SAS as
"Create a service SAS" of version 2019-12-12.
"""

import argparse
import base64
import datetime
import email.utils
import hashlib
import hmac
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

ACCOUNT = "devstoreaccount1"
KEY = base64.b64decode("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2U"
                       "VErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
VERSION = "2019-12-12"


def sign(*lines):
    text = "\n".join(lines).encode()
    return base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()


def ask(method, base, path, **query):
    headers = {"x-ms-date": email.utils.formatdate(usegmt=True),
               "x-ms-version": VERSION}
    # The path of the emulator has the account in it, its name another time.
    resource = "/%s/%s/%s" % (ACCOUNT, ACCOUNT, path)
    signature = sign(method, *[""] * 11,
                     *("%s:%s" % item for item in sorted(headers.items())),
                     resource,
                     *("%s:%s" % item for item in sorted(query.items())))
    headers["Authorization"] = "SharedKey %s:%s" % (ACCOUNT, signature)
    url = "%s/%s" % (base, path)
    if query:
        url += "?" + urllib.parse.urlencode(query)
    request = urllib.request.Request(url, method=method, headers=headers)
    # The server is the test's own, and it is not what is tested.
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context))
    try:
        return opener.open(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            sys.exit(1)
        sys.exit("%s: %s" % (error, error.read().decode()))


def sas(args):
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = ((now + datetime.timedelta(minutes=n)).strftime(
        "%Y-%m-%dT%H:%M:%SZ") for n in (-120, args.minutes))
    kind = "b" if "/" in args.path else "c"
    signature = sign(args.permissions, begin, end,
                     "/blob/%s/%s" % (ACCOUNT, urllib.parse.unquote(args.path)),
                     "", "", "", VERSION, kind, "", "", "", "", "", "")
    if args.spoiled:
        signature = base64.b64encode(
            hashlib.sha256(signature.encode()).digest()).decode()
    query = {"sv": VERSION, "st": begin, "se": end, "sr": kind,
             "sp": args.permissions, "sig": signature}
    print("%s/%s?%s" % (args.base, args.path, urllib.parse.urlencode(query)))


def blocks(args):
    answer = ask("GET", args.base, args.path, comp="blocklist",
                 blocklisttype="all").read()
    root = xml.etree.ElementTree.fromstring(answer.decode("utf-8-sig"))
    for kind in ("Committed", "Uncommitted"):
        for block in root.findall("./%sBlocks/Block" % kind):
            print(kind.lower(), block.findtext("Name"), block.findtext("Size"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["make", "sas", "get", "head",
                                            "blocks"])
    parser.add_argument("base")
    parser.add_argument("path")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--permissions", default="cw")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--spoiled", action="store_true")
    args = parser.parse_args()
    if args.command == "make":
        ask("PUT", args.base, args.path, restype="container")
    elif args.command == "sas":
        sas(args)
    elif args.command == "get":
        with open(args.out, "wb") as out:
            answer = ask("GET", args.base, args.path)
            while data := answer.read(1 << 20):
                out.write(data)
    elif args.command == "head":
        print(ask("HEAD", args.base, args.path).headers)
    else:
        blocks(args)


if __name__ == "__main__":
    main()
