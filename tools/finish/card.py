"""Draws the picture of a page for shared links: 1200 x 630, a PNG of 16 colours, in about a millisecond.

The ground is drawn and packed once. For a page only the band of its title is: from glyphs that are drawn once, into
pixels of 4 bits, packed between the two ready parts of the file. The font is Source Serif 4 (font/OFL.txt).
"""

import re
import struct
import unicodedata
import zlib
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.finish.cards import SIZE

LEFT, WIDTH = 96, 1020  # of the text
TOP, BOTTOM = 176, 540  # of the band, at most
FONT = Path(__file__).parent / "font" / "source-serif-4-latin-600-normal.woff2"
PAPER = (0xFC, 0xFB, 0xF8)  # the colours of nexus.css in light; the palette has each in steps from the paper on
INK, MUTED, ACCENT, MEASURED = (0x1B, 0x23, 0x26), (0x54, 0x5E, 0x62), (0x0B, 0x5D, 0x66), (0x8A, 0x53, 0x00)
STEPS = {INK: 5, MUTED: 3, ACCENT: 4, MEASURED: 3}  # 15, and the paper
LABEL, TITLES = 34, ((78, 3, 90), (62, 4, 72))  # sizes of letters; for a title: lines at most, and their distance
NUMBER = re.compile(r"(?<!\S)\d[\d,.]*(?<=\d)")  # in a title: a measured one, in the colour kept for those


def palette() -> list[int]:
    """Red, green and blue of the 16 colours."""
    colours = [PAPER]
    for colour, steps in STEPS.items():
        for step in range(1, steps + 1):
            colours.append(tuple(round(p + (c - p) * step / steps) for p, c in zip(PAPER, colour, strict=True)))
    return [part for colour in colours for part in colour]


def _indexes(mask: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Turn how much of each pixel is covered into a step of a colour."""
    first = 1 + sum(STEPS[one] for one in list(STEPS)[: list(STEPS).index(colour)])
    steps = STEPS[colour]
    return mask.point([first - 1 + level if (level := round(i * steps / 255)) else 0 for i in range(256)])


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _glyph(letter: str, size: int, colour: tuple[int, int, int]) -> tuple[Image.Image, Image.Image, tuple[int, int]]:
    """A letter's pixels, where they are, and their place from the pen."""
    left, top, right, bottom = _font(size).getbbox(letter, anchor="ls")
    mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(mask).text((-left, -top), letter, font=_font(size), fill=255, anchor="ls")
    pixels = _indexes(mask, colour)
    return pixels, pixels.point([0] + [255] * 255, "1"), (left, top)


@cache
def _known(letter: str) -> bool:
    """Whether the font has a letter; it draws a box for one that it has not."""
    return letter == " " or bytes(_font(LABEL).getmask(letter)) != bytes(_font(LABEL).getmask("\uffff"))


@cache
def _advance(pair: str, size: int) -> float:
    """How far the pen moves for the first of two letters, their kerning included."""
    return _font(size).getlength(pair) - (_font(size).getlength(pair[1]) if len(pair) > 1 else 0)


def width(text: str, size: int) -> float:
    """The width of a text in pixels."""
    return sum(_advance(text[at : at + 2], size) for at in range(len(text)))


def lines(text: str, size: int) -> list[str]:
    """Break a text into lines that fit; a word that is wider than the picture has a line of its own."""
    found: list[str] = []
    for word in text.split():
        if found and width(f"{found[-1]} {word}", size) <= WIDTH:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def _plain(letter: str) -> str:
    """The letters that a letter is made of, without marks: 'fi' for a ligature."""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))


def legible(text: str) -> str:
    """The text without what the font cannot draw."""
    plain = "".join(letter if _known(letter) else _plain(letter) for letter in text)
    return " ".join("".join(letter if _known(letter) else " " for letter in plain).split())


def _write(image: Image.Image, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int]) -> None:
    numbers = {place for found in NUMBER.finditer(text) for place in range(*found.span())} if colour == INK else set()
    pen = float(at[0])
    for place, letter in enumerate(text):
        pixels, mask, (left, top) = _glyph(letter, size, MEASURED if place in numbers else colour)
        image.paste(pixels, (round(pen) + left, at[1] + top), mask)
        pen += _advance(text[place : place + 2], size)


@cache
def _ground() -> Image.Image:
    """What all pictures have in common: the bar, the mark of overrides/partials/logo.html, the name of the site."""
    image = Image.new("L", SIZE)
    ImageDraw.Draw(image).rectangle((0, 0, SIZE[0], 13), fill=sum(STEPS[one] for one in (INK, MUTED, ACCENT)))
    scale, grid = 4 * 3.2, 4  # drawn four times as large, for smooth edges
    for colour, circles in ((ACCENT, ((6.5, 24.5), (25.5, 24.5))), (MEASURED, ((16, 7),))):
        mark = Image.new("L", (110 * grid, 110 * grid))
        pen = ImageDraw.Draw(mark)
        if colour == ACCENT:
            corners = [(x * scale, y * scale) for x, y in ((6.5, 24.5), (16, 7), (25.5, 24.5), (6.5, 24.5), (16, 7))]
            pen.line(corners, fill=255, width=round(2.6 * scale), joint="curve")
        for x, y in circles:
            pen.circle((x * scale, y * scale), 4.6 * scale, fill=255)
        small = _indexes(mark.resize((110, 110), Image.Resampling.BOX), colour)
        image.paste(small, (LEFT - 6, 52), small.point([0] + [255] * 255, "1"))
    _write(image, (LEFT, 586), "ALX Project Nexus", LABEL, MUTED)
    return image


def _rows(image: Image.Image) -> bytes:
    """The pixels as PNG wants them: 4 bits each, and before each row a byte that says 'not filtered'."""
    wide = Image.new("L", (SIZE[0] + 2, image.height))  # two pixels more in front: that byte
    wide.paste(image, (2, 0))
    return wide.convert("P").tobytes("raw", "P;4")


@cache
def _parts(bottom: int) -> tuple[bytes, bytes, bytes, bytes]:
    """The rows above and below a band that ends at `bottom`, raw, and packed, the lower ones to the stream's end."""
    ground = _ground()
    above, below = _rows(ground.crop((0, 0, SIZE[0], TOP))), _rows(ground.crop((0, bottom, *SIZE)))
    first, last = zlib.compressobj(9, wbits=-15), zlib.compressobj(9, wbits=-15)
    return above, below, first.compress(above) + first.flush(zlib.Z_FULL_FLUSH), last.compress(below) + last.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def draw(title: str, label: str) -> bytes:
    """The PNG of a page with this title, and above it a line that says where it stands."""
    title = legible(title)
    size, most, distance = next((way for way in TITLES if len(lines(title, way[0])) <= way[1]), TITLES[-1])
    broken = lines(title, size)
    if len(broken) > most:
        broken = [*broken[: most - 1], broken[most - 1].rstrip(",;:.") + "…"]
    bottom = min(BOTTOM, TOP + 62 + distance * len(broken) + size // 3)
    band = Image.new("L", (SIZE[0], bottom - TOP))
    _write(band, (LEFT, 52), legible(label), LABEL, MUTED)
    for number, line in enumerate(broken):
        _write(band, (LEFT, 62 + distance * (number + 1)), line, size, INK)
    above, below, first, last = _parts(bottom)
    middle = _rows(band)
    packer = zlib.compressobj(6, wbits=-15, strategy=zlib.Z_RLE)
    packed = b"\x78\x01" + first + packer.compress(middle) + packer.flush(zlib.Z_FULL_FLUSH) + last
    check = zlib.adler32(below, zlib.adler32(middle, zlib.adler32(above)))
    header = struct.pack(">IIBBBBB", *SIZE, 4, 3, 0, 0, 0)
    data = packed + struct.pack(">I", check)
    chunks = _chunk(b"IHDR", header), _chunk(b"PLTE", bytes(palette())), _chunk(b"IDAT", data), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
