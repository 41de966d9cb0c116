#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Includes point downwards only, and files do not include in circles.

The room of a public header avml/X.h is that of the src/*/X.c which includes
it first.
"""

import pathlib
import re
import sys

# What each room may see besides itself.
ROOMS = {
    "base": set(),
    "net": {"base"},
    "mem": {"base"},
    "source": {"base", "mem"},
    "format": {"base", "mem"},
    "pipeline": {"base"},
    "sink": {"base", "net"},
    "job": {"base", "net", "mem", "source", "format", "pipeline", "sink"},
    "cmd": {"base", "net", "job", "mem", "source"},
    "main": {"base", "cmd"},
}

TOP = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(avml/[^>]+)>)')


def first_include(path):
    match = re.search(r'^#include [<"]([^>"]+)', path.read_text(), re.M)
    return match and match.group(1)


def module_of(path):
    """The room and the name of a file: header and .c are one module."""
    parts = path.relative_to(TOP).parts
    if parts[0] == "include":
        for home in TOP.glob(f"src/*/{path.stem}.c"):
            if first_include(home) == f"avml/{path.name}":
                return home.parent.name, path.stem
        raise SystemExit(f"{path}: no src/*/{path.stem}.c begins with it")
    return parts[1] if len(parts) > 2 else "main", path.stem


def target_of(include):
    if include.startswith("avml/"):
        return TOP / "include" / include
    return TOP / "src" / include


def main():
    bad = []
    edges = {}
    files = sorted(TOP.glob("src/**/*.[ch]")) + sorted(
        TOP.glob("include/avml/*.h"))
    for path in files:
        room, name = module_of(path)
        for line in path.read_text().splitlines():
            match = INCLUDE.match(line)
            if not match:
                continue
            target = target_of(match.group(1) or match.group(2))
            where = path.relative_to(TOP)
            if not target.exists():
                bad.append(f"{where}: {match.group(1)} is not in src/")
                continue
            to_room, to_name = module_of(target)
            if to_room != room and to_room not in ROOMS[room]:
                bad.append(f"{where}: {room} must not see {to_room} "
                           f"({target.relative_to(TOP)})")
            if (to_room, to_name) != (room, name):
                edges.setdefault(str(path), set()).add(str(target))
    bad += circles(edges)
    print("\n".join(bad))
    return 1 if bad else 0


def circles(edges):
    """Files that come back to themselves through what they include."""
    found, done = [], set()

    def visit(node, trail):
        if node in trail:
            chain = trail[trail.index(node):] + [node]
            found.append("circle: " + " -> ".join(
                str(pathlib.Path(n).relative_to(TOP)) for n in chain))
            return
        if node in done:
            return
        for target in sorted(edges.get(node, ())):
            visit(target, trail + [node])
        done.add(node)

    for node in sorted(edges):
        visit(node, [])
    return found


if __name__ == "__main__":
    sys.exit(main())
