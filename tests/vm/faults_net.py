# SPDX-License-Identifier: MIT
"""Faults of what is received."""

from faults import edit, fault, on_v2, piece_of, remove, replace


@on_v2("a bit of a chunk with a planted page", "planted pages found",
       "stream_tcp")
def _(data, image, guest):
    piece = piece_of(image, max(guest.planted))
    data[piece.at + piece.size // 2] ^= 1


@on_v2("a byte that was dropped", "well formed", "stream_tcp")
def _(data, _image, _guest):
    del data[len(data) // 2]


@on_v2("a last byte that is not there", "the report's length", "stream_put")
def _(data, _image, _guest):
    del data[-1]


@on_v2("a bit that was changed", "the report's length", "stream_put")
def _(data, _image, _guest):
    data[len(data) // 2] ^= 1


@fault("nothing that arrived", "stream_put", "there is an image")
def _(root, _guest):
    remove(root, "stream_put/out.v2")


@fault("a report of another image", "stream_put", "the report's length")
def _(root, _guest):
    edit(root, "stream_put/report", '"sha256":"', '"sha256":"0')


@fault("a report without its end", "stream_tcp", "the report's length")
def _(root, _guest):
    edit(root, "stream_tcp/report", '"summary"', '"record"')


@fault("a second connection", "stream_tcp", "the receiver tells")
def _(root, _guest):
    replace(root, "stream_tcp/connections", "begin\nbegin\nend\n")


@fault("a length that was known", "stream_put", "the receiver tells")
def _(root, _guest):
    edit(root, "stream_put/requests", "chunked", "-")


@fault("a doubt about the end", "stream_tcp", "sent once, and confirmed")
def _(root, _guest):
    edit(root, "stream_tcp/stderr", "avml: ", "note: 10.0.2.100:9001: that "
         "the receiver itself has read them it did not show\navml: ")


@fault("a second attempt", "stream_put", "sent once, and confirmed")
def _(root, _guest):
    edit(root, "stream_put/stderr", "avml: ", "note: it refused the "
         "connection; attempt 2 of 11 in 1.0 s\navml: ")
