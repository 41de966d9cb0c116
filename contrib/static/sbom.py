#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bill of materials of a static binary, as CycloneDX 1.5 in JSON.

    sbom.py --taken FILE [--time SECONDS] --build NAME --arch ARCH \
            --version VERSION [--commit COMMIT] --compiler TEXT BINARY OUT

FILE is what kit.sh says it took. The same inputs give the same bytes: the
serial number comes from the binary, the time is the commit's, if it is known.
What is taken of the machine itself has to be still what it was then.
"""
import argparse
import datetime
import hashlib
import json
import os
import sys
import urllib.parse
import uuid

# The licence of what goes into the program, and who makes it.
LICENCES = {
    "musl": ("MIT", "musl libc"),
    "linux-headers": ("GPL-2.0-only WITH Linux-syscall-note", "Linux kernel"),
    "glibc": ("LGPL-2.1-or-later", "GNU C library"),
    "gcc": (
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        "libgcc, and templates of libstdc++",
    ),
    "snappy": ("BSD-3-Clause", "compression"),
    "cJSON": ("MIT", "JSON"),
    "Mbed TLS": ("Apache-2.0", "SHA-256"),
    "OpenSSL": ("Apache-2.0", "TLS and digests"),
    "c-ares": ("MIT", "names of hosts"),
    "expat": ("MIT", "XML"),
    "curl": ("curl", "libcurl: HTTP and HTTPS"),
}


DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "s390x": "s390x"}


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def component(line, arch):
    name, version, kind, package, digest, file = line.split("\t")
    licence, what = LICENCES[name]
    at = urllib.parse.quote(version, safe="~")
    query = {
        "source": "?arch=source&distro=bookworm",
        "binary": f"?arch={DEBIAN_NAMES[arch]}&distro=bookworm",
        # The compiler's own, of whatever release it is.
        "installed": "",
    }[kind]
    if kind == "installed" and sha256(file) != digest:
        sys.exit(
            f"{file} is not the one that the kit was made with: remove the kit"
        )
    return {
        "type": "library",
        "bom-ref": name,
        "supplier": {"name": "Debian"},
        "name": name,
        "version": version,
        "description": what,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"expression": licence}],
        "purl": f"pkg:deb/debian/{package}@{at}{query}",
        # What the hash is of: a package as fetched, or an archive in one.
        "properties": [{"name": "avml:hash-of", "value": os.path.basename(file)}],
    }


def bill(args):
    digest = sha256(args.binary)
    with open(args.taken, encoding="utf-8") as file:
        components = [component(line.rstrip("\n"), args.arch) for line in file]
    metadata = {
        "tools": {
            "components": [{"type": "application", "name": args.compiler}]
        },
        "component": {
            "type": "application",
            "bom-ref": "avml",
            "name": "avml",
            "version": args.version,
            "description": f"{args.build} for {args.arch}",
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "licenses": [{"license": {"id": "MIT"}}],
            "properties": [
                {"name": "avml:build", "value": args.build},
                {"name": "avml:arch", "value": args.arch},
                {"name": "avml:commit", "value": args.commit or "unknown"},
            ],
        },
    }
    if args.time:
        when = datetime.datetime.fromtimestamp(int(args.time), datetime.timezone.utc)
        metadata["timestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": [
            {"ref": "avml", "dependsOn": [c["bom-ref"] for c in components]}
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("taken", "build", "arch", "version", "compiler"):
        parser.add_argument("--" + name, required=True)
    for name in ("time", "commit"):
        parser.add_argument("--" + name, default="")
    parser.add_argument("binary")
    parser.add_argument("out")
    args = parser.parse_args()
    text = json.dumps(bill(args), indent=2, ensure_ascii=False) + "\n"
    # Whole or not at all.
    with open(args.out + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(args.out + ".new", args.out)


main()
