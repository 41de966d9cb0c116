# SPDX-License-Identifier: MIT
"""The runs into which faults are put.

A line of the table below is all that a new one needs.  What stands in braces
in arguments is a file of the made-up machine (machine.py), {out} the image.
A run must never be able to get at this
machine's own memory: acquire() lets none pass that could.
"""

from dataclasses import dataclass

SAFE = ({"--source", "--iomem"}, {"--proc"})


@dataclass
class Scenario:
    """One command line, and what comes of it when nothing fails."""

    name: str
    args: list
    kind: str = "v1"        # what it writes: v1, v2, raw or text
    threads: tuple = (1,)
    each: tuple = ()        # with these, each time that a call is made
    # Or pipe; or fd: stdout is a file; or net: {url}; or tcp: {tcp}; or sent:
    # a file that goes to {url}, and is removed then.
    to: str = "file"
    stdin: str = None       # this file comes through a pipe
    old: str = None         # what is there before: plain, or linked
    status: int = 0         # without a fault
    partial: bool = False   # a run may end with 3: unreadable, and named
    cascades: bool = False  # a failed read may cost more than its own pages
    quick: bool = False     # main scenarios: of `make check`
    bundle: bool = False    # into {out}.d, of {proc} and {host_root}
    pairs: bool = False     # two things that fail, in `make check` too

    @property
    def digest(self):
        return any(arg.startswith("--digest") for arg in self.args)

    @property
    def report(self):
        return any(arg.startswith("--report") for arg in self.args)


def acquire(name, *args, **rest):
    """Everything may be unreadable: it is told, and the status is 3."""
    options = {arg.split("=")[0] for arg in args}
    if not any(safe <= options for safe in SAFE):
        raise ValueError("unsafe to run: %s" % name)
    if rest.get("bundle"):
        if not {"--proc", "--root"} <= options:
            raise ValueError("unsafe to run: %s" % name)
        args += ("--bundle={out}.d",)
    out = "{out}" if rest.get("to", "file") in ("file", "sent") else "-"
    kind = "v2" if "--compress" in args else "v1"
    return Scenario(name, ["acquire", *args, "--max-unreadable=100", out],
                    kind, partial=True, **rest)


def convert(name, kind, *args, **rest):
    formats = {"v1": "lime", "v2": "lime_compressed", "raw": "raw"}
    return Scenario(name, ["convert", "--format", formats[kind], *args,
                           "{out}" if rest.get("to", "file") == "file"
                           else "-"], kind, **rest)


def upload(name, kind, image, **rest):
    """By one PUT or in blocks; a failed request is not made again."""
    return Scenario(name, ["upload", kind, "--retries=0", image, "{url}"],
                    "v2", to="net", threads=(0,), **rest)


def stream(name, kind, *args, **rest):
    if not any(safe <= {arg.split("=")[0] for arg in args} for safe in SAFE):
        raise ValueError("unsafe to run: %s" % name)
    image = "v2" if "--compress" in args else "v1"
    place, to = ("{url}", "net") if kind in ("put", "blob") else \
        ("{tcp}", "tcp")
    return Scenario(name, ["stream", *args, "--max-unreadable=100",
                           "--retries=0", kind, place], image, to=to,
                    partial=True, **rest)


FILE = ("--source={memory}", "--iomem={iomem}")
KCORE = ("--proc={proc}", "--source=kcore")

SCENARIOS = [
    acquire("acquire", *FILE, threads=(1, 3), each=(1, 3), quick=True,
            pairs=True),
    acquire("acquire-compress", *FILE, "--compress", threads=(1, 3), each=(1,),
            quick=True),
    acquire("acquire-kcore", *KCORE, threads=(1, 3), each=(1,), quick=True),
    acquire("acquire-stream", *FILE, to="pipe", threads=(1, 3), each=(1,),
            quick=True),
    acquire("acquire-compress-stream", *FILE, "--compress", to="pipe"),
    acquire("acquire-fd", *FILE, to="fd"),
    acquire("acquire-old", *FILE, old="plain", quick=True),
    acquire("acquire-linked", *FILE, old="linked", quick=True),
    acquire("acquire-default", "--proc={proc}"),
    # Pages that are not to be touched; a file that is too short.
    acquire("acquire-filter", "--proc={flagged}", "--source=kcore", status=3,
            threads=(1, 3), cascades=True, quick=True),
    acquire("acquire-short", "--source={short}", "--iomem={iomem}", status=3),
    # kcore's headers have to tell what is RAM, or where it lies.
    acquire("acquire-headers", "--proc={bare}", "--source={proc}/kcore"),
    acquire("acquire-legacy", "--proc={legacy}", "--source=kcore", quick=True),
    acquire("acquire-whole", *FILE, "--no-sparse", "--keep-zeros"),
    acquire("acquire-percent", *FILE, "--max-disk-usage-percentage=99.9",
            threads=(0,)),
    acquire("acquire-percent-fd", *FILE, "--max-disk-usage-percentage=99.9",
            to="fd"),
    # What is told of it while it lasts.
    acquire("acquire-report", *FILE, "--report={out}.report", quick=True),
    acquire("acquire-report-filter", "--proc={flagged}", "--source=kcore",
            "--report={out}.report", "--digest", status=3, threads=(3,),
            cascades=True),
    acquire("acquire-report-none", "--proc={bare}", "--dev={bare}",
            "--report={out}.report", status=1),
    # Its SHA-256, in a thread of its own and without.
    acquire("acquire-digest", *FILE, "--digest", threads=(1, 3), quick=True),
    acquire("acquire-digest-stream", *FILE, "--compress",
            "--digest-file={out}.sha256", to="pipe"),
    acquire("acquire-digest-old", *FILE, "--digest", old="plain"),
    acquire("acquire-progress", *FILE, "--progress=always", quick=True),
    acquire("acquire-min-free", *FILE, "--min-free=1", quick=True),
    # crash ends early, and kcore has the rest, of which zeros do not count.
    acquire("acquire-both", "--proc={proc}", "--dev={dev}", status=3,
            threads=(1, 3), cascades=True, quick=True),
    acquire("acquire-both-compress", "--proc={proc}", "--dev={dev}",
            "--compress", status=3, cascades=True),
    acquire("acquire-bundle", *KCORE, "--root={host_root}", bundle=True, quick=True,
            pairs=True),
    convert("v2-to-v1", "v1", "{v2}", threads=(1, 3), each=(1, 3), quick=True),
    convert("v1-to-v2", "v2", "{v1}", threads=(1, 3), each=(1,), quick=True),
    convert("v2-to-raw", "raw", "{v2}", each=(1,), quick=True),
    convert("v1-to-raw", "raw", "{v1}"),
    convert("raw-to-v1", "v1", "--source-format=raw", "{raw}"),
    convert("pipe-to-v1", "v1", "-", stdin="v2", each=(1,), quick=True),
    convert("v2-to-stream", "v1", "{v2}", to="pipe"),
    convert("v2-to-v1-digest", "v1", "--digest", "{v2}", threads=(1, 3)),
    convert("v1-old", "v2", "{v1}", old="plain"),
    convert("salvage", "v1", "--salvage", "{cut}", status=3, threads=(1, 3),
            each=(1, 3), quick=True),
    convert("salvage-compress", "v2", "--salvage", "{cut}", status=3),
    convert("salvage-pipe", "v1", "--salvage", "-", stdin="cut", status=3),
    # Off the host.
    upload("upload-put", "put", "{v2}", quick=True),
    upload("upload-blob", "blob", "{v2}", quick=True),
    stream("stream-put", "put", *FILE, "--compress", threads=(1, 3),
           quick=True),
    stream("stream-blob", "blob", *FILE, threads=(1, 3), quick=True),
    stream("stream-tcp", "tcp", *FILE, "--compress", threads=(1, 3),
           quick=True),
    stream("stream-tls", "tls", *FILE, "--compress", "--cacert={cert}",
           quick=True),
    acquire("acquire-sent", *FILE, "--url={url}", "--retries=0", "--delete",
            to="sent", threads=(1, 3), quick=True),
    # Those that do not come to a good end anyway.
    acquire("acquire-none", "--proc={bare}", "--dev={bare}", status=1),
    convert("bad-to-v1", "v1", "{bad}", status=1, quick=True),
    convert("rotten-to-v1", "v1", "{rotten}", status=1),
    convert("salvage-none", "v1", "--salvage", "{iomem}", status=1),
    Scenario("verify", ["verify", "{v2}"], "text", to="pipe", quick=True),
    Scenario("verify-progress", ["verify", "--progress=always", "{v2}"],
             "text", to="pipe"),
    Scenario("verify-threads", ["verify", "--threads=3", "{v2}"], "text",
             to="pipe"),
    Scenario("verify-pipe", ["verify", "-"], "text", to="pipe", stdin="v2"),
    Scenario("verify-rotten", ["verify", "{rotten}"], "text", to="pipe",
             status=1),
    Scenario("info", ["info", "{v1}"], "text", to="pipe"),
    Scenario("info-json", ["info", "--json", "--map", "--threads=3", "{v2}"],
             "text", to="pipe", quick=True),
    Scenario("help", ["acquire", "--help"], "text", to="pipe"),
    Scenario("sources", ["sources", "--proc={proc}", "--dev={dev}"], "text",
             to="pipe"),
    Scenario("sources-json", ["sources", "--json", "--proc={proc}",
                              "--dev={dev}"], "text", to="pipe"),
]
