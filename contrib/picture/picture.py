#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""picture.py RECORDING > SVG

Draws what a program wrote to a terminal of 80 columns.  A line that is redrawn
in place (`avml` tells how far it is) is gone in the end: the picture has two
parts, what stood there when that line told of about 50 %, and, below, what stood
from that line on in the end.

Only the controls that avml and the recording's prompts use are known; another
one is an error, so that no picture shows less than a terminal would.
"""

import collections
import re
import sys
from xml.sax.saxutils import escape

COLUMNS = 80

# One column and one row, in pixels.  Fonts differ in width: textLength has
# each line as wide as its columns, whatever the font.
WIDTH, HEIGHT = 8.4, 18
MARGIN = 16
FONT_SIZE = 14
FONTS = ("ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
         "'Liberation Mono',monospace")

BACKGROUND, FOREGROUND, DIM = "#161b22", "#d0d7de", "#6e7681"
# The eight of ANSI, bright enough for the background.
PALETTE = ("#484f58", "#ff7b72", "#56d364", "#e3b341", "#6cb6ff", "#d2a8ff",
           "#39c5cf", "#f0f6fc")

Style = collections.namedtuple("Style", "colour bold dim reverse")
PLAIN = Style(None, False, False, False)
BLANK = (" ", PLAIN)


class Terminal:
    """Its rows, each a list of (character, style).  None scrolls away."""

    def __init__(self, columns=COLUMNS):
        self.columns = columns
        self.rows = [[]]
        self.column = 0
        self.style = PLAIN

    def put(self, text):
        for part in re.split(r"(\033\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f])", text):
            if not part:
                continue
            if part == "\r":
                self.column = 0
            elif part == "\n":
                # The driver of a terminal puts a carriage return in front.
                self.rows.append([])
            elif part == "\033[K":
                del self.rows[-1][self.column:]
            elif part.startswith("\033[") and part.endswith("m"):
                self.style = styled(self.style, part[2:-1])
            elif part[0] < " " or part[0] == "\x7f":
                raise ValueError("unknown control %r" % part)
            else:
                self.put_plain(part)

    def put_plain(self, text):
        for character in text:
            # A line that is just full ends with what follows it.
            if self.column == self.columns:
                self.rows.append([])
                self.column = 0
            row = self.rows[-1]
            row.extend([BLANK] * (self.column + 1 - len(row)))
            row[self.column] = (character, self.style)
            self.column += 1

    def lines(self):
        return ["".join(character for character, _ in row)
                for row in self.rows]


def styled(style, codes):
    """The style after `ESC [ codes m`."""
    for code in codes.split(";"):
        number = int(code or 0)
        if number == 0:
            style = PLAIN
        elif number == 1:
            style = style._replace(bold=True)
        elif number == 2:
            style = style._replace(dim=True)
        elif number == 7:
            style = style._replace(reverse=True)
        elif 30 <= number <= 37:
            style = style._replace(colour=number - 30)
        else:
            raise ValueError("unknown style %r" % codes)
    return style


def play(recording):
    """(rows when the redrawn line told of half, rows in the end).

    The last row of the first is that line, and stands in the second for what
    came in its place.
    """
    terminal = Terminal()
    best = None
    for part in re.split(r"(?<=\033\[K)", recording):
        terminal.put(part)
        told = re.search(r" ([0-9]+) %", terminal.lines()[-1])
        if told and part.endswith("\033[K"):
            away = abs(int(told.group(1)) - 50)
            if best is None or away < best[0]:
                best = away, [list(row) for row in terminal.rows]
    if best is None:
        raise ValueError("no line tells how far it is")
    rows = terminal.rows
    while rows and not rows[-1]:
        rows = rows[:-1]
    return best[1], rows


# --- SVG ----------------------------------------------------------------------

def number(value):
    return ("%.1f" % value).removesuffix(".0")


def runs(row):
    """[(column, text, style)]; blanks belong to what is in front of them."""
    found = []
    for column, (character, style) in enumerate(row):
        if found and (found[-1][2] == style or (
                character == " " and not style.reverse
                and not found[-1][2].reverse)):
            found[-1][1] += character
        else:
            found.append([column, character, style])
    return found


def classes(style):
    names = []
    if style.reverse:
        names.append("v")
    elif style.dim:
        names.append("d")
    elif style.colour is not None:
        names.append("c%d" % style.colour)
    if style.bold:
        names.append("b")
    return " ".join(names)


def draw_row(row, y):
    """One line of text, and what is behind it."""
    text = ""
    for column, part, style in runs(row):
        if style.reverse:
            yield '<rect x="%s" y="%d" width="%s" height="%d" fill="%s"/>' % (
                number(MARGIN + column * WIDTH), y - HEIGHT + 4,
                number(len(part) * WIDTH), HEIGHT,
                FOREGROUND if style.colour is None else PALETTE[style.colour])
        part, names = escape(part), classes(style)
        text += ('<tspan class="%s">%s</tspan>' % (names, part) if names
                 else part)
    if text:
        yield '<text x="%d" y="%d" textLength="%s">%s</text>' % (
            MARGIN, y, number(len(row) * WIDTH), text)


def style_sheet():
    yield "text{font:%dpx %s;fill:%s;white-space:pre}" % (
        FONT_SIZE, FONTS, FOREGROUND)
    yield ".b{font-weight:bold}.d{fill:%s}.v{fill:%s}" % (DIM, BACKGROUND)
    yield "".join(".c%d{fill:%s}" % pair for pair in enumerate(PALETTE))


def draw_break(y):
    """Between the two parts: time goes by."""
    middle = MARGIN + COLUMNS * WIDTH / 2
    for begin, end in ((MARGIN, middle - 40),
                       (middle + 40, MARGIN + COLUMNS * WIDTH)):
        yield ('<path d="M%s %d H%s" stroke="%s" stroke-dasharray="4 4"/>'
               % (number(begin), y - 5, number(end), DIM))
    yield ('<text x="%s" y="%d" class="d" text-anchor="middle">later</text>'
           % (number(middle), y))


def svg(half, end):
    """The picture of both parts, as a text."""
    body = []
    y = MARGIN + HEIGHT - 4
    for row in half:
        body.extend(draw_row(row, y))
        y += HEIGHT
    # The cursor waits behind the line that comes again.
    body.append('<rect x="%s" y="%d" width="%s" height="%d" fill="%s"/>' % (
        number(MARGIN + len(half[-1]) * WIDTH), y - 2 * HEIGHT + 4,
        number(WIDTH), HEIGHT, FOREGROUND))
    y += HEIGHT // 2
    body.extend(draw_break(y))
    y += HEIGHT + HEIGHT // 2
    for row in end[len(half) - 1:]:
        body.extend(draw_row(row, y))
        y += HEIGHT
    width, height = 2 * MARGIN + COLUMNS * WIDTH, y - HEIGHT + 4 + MARGIN
    head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%d" '
            'viewBox="0 0 %s %d" role="img" xml:space="preserve">'
            % (number(width), height, number(width), height),
            "<title>A terminal on which avml acquires the memory of a "
            "virtual machine</title>",
            "<style>", *style_sheet(), "</style>",
            '<rect width="100%%" height="100%%" rx="6" fill="%s"/>'
            % BACKGROUND]
    return "\n".join([*head, *body, "</svg>"]) + "\n"


def main(argv):
    if len(argv) != 2:
        sys.exit("usage: picture.py RECORDING > SVG")
    with open(argv[1], encoding="ascii", newline="") as file:
        recording = file.read()
    sys.stdout.write(svg(*play(recording)))


if __name__ == "__main__":
    main(sys.argv)
