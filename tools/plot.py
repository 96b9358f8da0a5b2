"""Measured numbers -> one SVG: bars for a comparison, lines for a curve; light and dark in the same file.

Written by hand, because matplotlib 3.11 meets size and determinism but not the rest (tried on two panels of two bars):
17.5 kB, 2.3 kB gzip, eight more packages and 180 MB for the lock, and one text size for every width: what reads well at
720 px is 6 px high on a phone. This writer: under 4 kB, 1.4 kB gzip, no package, and text that grows where the picture
shrinks, since a media query inside an SVG sees the width at which the picture is shown.

Colours are those of nexus.css: ink and teal on paper, amber for measured numbers only. An <img> follows the colour
scheme of the page around it; where a renderer does not, the opaque card keeps the picture readable. The first of the
variants, the baseline, is grey; what is compared with it is teal. Text is set in the reader's own font.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

LOG_ABOVE = 20  # a ratio of values above which a scale is logarithmic
WIDTH, PAD, LINE = 720, 22, 32  # units of the viewBox; LINE is the pitch of lines of text
INNER = WIDTH - 2 * PAD
# Mean widths of a character in the narrow layout (23 units), in DejaVu Sans, the widest of the usual system fonts.
DIGIT, LETTER, TITLE_LETTER = 15.5, 13.2, 16.0
NARROW = 600  # CSS pixels of picture width below which text is set larger
LIGHT = {"paper": "#fcfbf8", "ink": "#1b2326", "muted": "#545e62", "rule": "#ddd8cc", "measured": "#8a5300"}
LIGHT |= {"s0": "#545e62", "s1": "#0b5d66", "s2": "#6f3c96", "s3": "#1f5591"}
DARK = {"paper": "#12181b", "ink": "#e3e5e1", "muted": "#a5afb1", "rule": "#303a3e", "measured": "#e3b04f"}
DARK |= {"s0": "#a5afb1", "s1": "#79c8cd", "s2": "#c9a4ea", "s3": "#8db9ee"}
DASHES = ("9 6", "", "2 5", "14 5 2 5")  # lines differ by more than colour


class PlotError(ValueError):
    """Something that cannot be drawn; the message says what."""


@dataclass(frozen=True)
class Bar:
    """One measured value as it is printed, and the span of its runs in the same unit."""

    label: str
    value: float
    text: str
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class Panel:
    """Bars that share a scale."""

    heading: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Line:
    """A curve: its points from left to right, and the last value as it is printed."""

    label: str
    points: Sequence[tuple[float, float]]
    text: str


def bars(title: str, panels: Sequence[Panel], description: str) -> str:
    """Return an SVG with the panels below each other. Raises PlotError."""
    if not panels or not all(panel.bars for panel in panels):
        raise PlotError("a picture needs at least one bar in each panel")
    parts, y = _title(title)
    for panel in panels:
        drawn, y = _panel(panel, y)
        parts += drawn
    return _document(title, description, parts, y + 10)


def lines(title: str, x_label: str, y_label: str, series: Sequence[Line], description: str) -> str:
    """Return an SVG with the curves in one frame; y_label names quantity and unit. Raises PlotError."""
    if not series or len(series) > len(DASHES) or min(len(line.points) for line in series) < 2:
        raise PlotError(f"a picture of curves needs 1 to {len(DASHES)} lines of at least two points")
    xs = sorted({x for line in series for x, _ in line.points})
    ys = [y for line in series for _, y in line.points]
    parts, top = _title(title)
    for number, line in enumerate(series):
        parts.append(f'<g class="s{number}">{_stroke(number, PAD, top + 18, PAD + 46, top + 18)}</g>')
        parts += _mark(number, PAD + 23, top + 18)
        parts.append(_text(PAD + 60, top + 25, "l", line.label))
        top += LINE
    y_of, y_ticks, y_log = _scale(ys)
    x_log = _is_log(xs)
    parts.append(_text(PAD, top + 28, "a", y_label + _log_note(y_log)))
    top += 48
    left = PAD + 10 + LETTER * max(len(_number(tick)) for tick in y_ticks)
    right = WIDTH - PAD - 12 - DIGIT * max(len(line.text) for line in series)
    bottom = top + 250

    def place_y(value: float) -> float:
        return bottom - y_of(value) * (bottom - top)

    def place_x(value: float) -> float:
        low, high = (math.log10(xs[0]), math.log10(xs[-1])) if x_log else (xs[0], xs[-1])
        return left + ((math.log10(value) if x_log else value) - low) / (high - low) * (right - left)

    for tick in y_ticks:
        at = place_y(tick)
        parts.append(f'<path class="r" d="M{_n(left)} {_n(at)}H{_n(right)}"/>')
        parts.append(_text(left - 10, at + 7, "a e", _number(tick)))
    edge = WIDTH  # labels from the right, each only if it does not touch the one before
    for x in reversed(xs):
        half = len(_number(x)) * LETTER / 2
        if place_x(x) + half < edge:
            parts.append(_text(place_x(x), bottom + 30, "a m", _number(x)))
            edge = place_x(x) - half - 10
    parts.append(_text(WIDTH - PAD, bottom + 62, "a e", x_label + _log_note(x_log)))
    ends = _apart([place_y(line.points[-1][1]) + 7 for line in series], LINE - 6, bottom + 4)
    for number, line in enumerate(series):
        places = [(place_x(x), place_y(y)) for x, y in line.points]
        parts.append(f'<g class="s{number}">{_stroke(number, *(c for place in places for c in place))}</g>')
        for place in places:
            parts += _mark(number, *place)
        parts.append(_text(right + 12, ends[number], "n", line.text))
    return _document(title, description, parts, bottom + 84)


def _panel(panel: Panel, y: float) -> tuple[list[str], float]:
    """Draw one panel from y down; return its parts and where it ends."""
    values = [bar.value for bar in panel.bars] + [end for bar in panel.bars for end in bar.span or ()]
    scale, ticks, is_log = _scale(values, from_zero=True)
    track = INNER - 14 - DIGIT * max(len(bar.text) for bar in panel.bars)
    if track < INNER / 4:
        raise PlotError(f"a number is too long to draw beside its bar: {max(bar.text for bar in panel.bars)!r}")
    parts = [_text(PAD, y + 26, "a", panel.heading + _log_note(is_log))]
    y += LINE + 8
    end = y + sum(len(_wrapped(bar.label, LETTER)) * LINE - 4 + 40 for bar in panel.bars) - 14
    parts += [f'<path class="r" d="M{_n(PAD + scale(tick) * track)} {_n(y)}V{_n(end)}"/>' for tick in ticks]
    for number, bar in enumerate(panel.bars):
        for row in _wrapped(bar.label, LETTER):
            parts.append(_text(PAD, y + 22, "l h", row))
            y += LINE
        y -= 4
        length = max(2.0, scale(bar.value) * track)
        parts.append(
            f'<rect class="b{min(number, 1)}" x="{PAD}" y="{_n(y + 4)}" width="{_n(length)}" height="20" rx="1.5"/>'
        )
        longest = length
        if bar.span and (scale(bar.span[1]) - scale(bar.span[0])) * track > 2:
            low, high = (PAD + scale(end) * track for end in bar.span)
            longest = max(length, high - PAD)
            parts.append(f'<path class="w" d="M{_n(low)} {_n(y + 26)}v5m0 -2.5H{_n(high)}m0 -2.5v5"/>')
        parts.append(_text(PAD + longest + 10, y + 22, "n", bar.text))
        y += 40
    return parts, y


def _is_log(values: Iterable[float]) -> bool:
    ordered = sorted(values)
    return ordered[0] > 0 and ordered[-1] / ordered[0] > LOG_ABOVE


def _log_note(is_log: bool) -> str:
    return " · log scale" if is_log else ""


def _scale(values: Sequence[float], from_zero: bool = False):
    """Return (value -> share of the axis, ticks, logarithmic?)."""
    top = max(values)
    if _is_log(values):
        low = math.floor(math.log10(min(values)) - (0.05 if from_zero else 0))  # a bar needs some length
        high = math.log10(top)
        ticks = [10.0**power for power in range(low, math.floor(high + 1e-9) + 1)]
        return lambda value: (math.log10(value) - low) / (high - low), ticks, True
    step = 10 ** math.floor(math.log10(top or 1))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if (top or 1) / s <= 5)
    ticks = [0.0] if from_zero else [step * number for number in range(math.ceil((top or 1) / step) + 1)]
    high = (top or 1) if from_zero else ticks[-1]
    return lambda value: value / high, ticks, False


def _apart(places: list[float], gap: float, lowest: float) -> list[float]:
    """Move places that are closer than the gap away from each other, none below the lowest."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    out = list(places)
    for above, below in pairwise(order):
        out[below] = max(out[below], out[above] + gap)
    for index in reversed(order):
        out[index] = min(out[index], lowest)
        lowest = out[index] - gap
    return out


def _stroke(number: int, *coordinates: float) -> str:
    pairs = zip(coordinates[::2], coordinates[1::2], strict=True)
    dash = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
    return f'<path class="c"{dash} d="M{"L".join(f"{_n(x)} {_n(y)}" for x, y in pairs)}"/>'


def _mark(number: int, x: float, y: float) -> list[str]:
    """A circle, square, diamond or triangle for the first, second, third or fourth line."""
    shapes = ("M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0", "M-6-6h12v12h-12z", "M0-8l8 8l-8 8l-8-8z", "M0-7l7 12h-14z")
    return [f'<path class="b{number}" transform="translate({_n(x)} {_n(y)})" d="{shapes[number]}"/>']


def _title(title: str) -> tuple[list[str], float]:
    rows = _wrapped(title, TITLE_LETTER)
    return [_text(PAD, 24 + LINE * n + 14, "t", row) for n, row in enumerate(rows)], 20 + LINE * len(rows)


def _wrapped(text: str, letter: float) -> list[str]:
    return textwrap.wrap(text, int(INNER / letter)) or [""]


def _text(x: float, y: float, name: str, text: str) -> str:
    return f'<text class="{name}" x="{_n(x)}" y="{_n(y)}">{escape(text)}</text>'


def _n(value: float) -> str:
    """A coordinate without noise: the same bytes on every machine."""
    return f"{value:.1f}".removesuffix(".0")


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _document(title: str, description: str, parts: list[str], height: float) -> str:
    def variables(colours: dict[str, str]) -> str:
        return ";".join(f"--{name}:{colour}" for name, colour in colours.items())

    rules = [
        f"svg{{{variables(LIGHT)};color-scheme:light dark}}",
        f"@media(prefers-color-scheme:dark){{svg{{{variables(DARK)}}}}}",
        "text{font:16px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',Arial,sans-serif;"
        "font-variant-numeric:tabular-nums;fill:var(--ink)}",
        ".t{font-size:19px;font-weight:600}.a{font-size:14px;fill:var(--muted)}.e{text-anchor:end}",
        ".n{font-weight:700;fill:var(--measured)}.m{text-anchor:middle}",
        ".h{paint-order:stroke;stroke:var(--paper);stroke-width:5px}",  # a grid line does not cross a label
        ".k{fill:var(--paper);stroke:var(--rule)}.r{stroke:var(--rule)}",
        ".c,.w{fill:none;stroke-width:2.5px}.w{stroke:var(--muted);stroke-width:1.5px}",
        "".join(f".b{n}{{fill:var(--s{n})}}.s{n}{{stroke:var(--s{n})}}" for n in range(len(DASHES))),
        f"@media(max-width:{NARROW}px){{text{{font-size:23px}}.t{{font-size:24px}}.a{{font-size:22.5px}}}}",
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{_n(height)}" '
        f'viewBox="0 0 {WIDTH} {_n(height)}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(description)}</desc>\n'
        f"<style>{''.join(rules)}</style>\n"
        f'<rect class="k" x=".5" y=".5" width="{WIDTH - 1}" height="{_n(height - 1)}" rx="4"/>\n{body}\n</svg>\n'
    )
