"""tools/plot.py: pictures that anybody can read, anywhere, and that are the same bytes each time."""

import gzip
import re
import subprocess
import sys
from base64 import b64encode
from itertools import combinations
from xml.etree import ElementTree

import pytest
from conftest import ROOT

from tools import plot
from tools.plot import Bar, Line, Panel

LONG = "select_for_update, which holds each row until its transaction ends, so that the others wait for their turn"
COMPARISON = plot.bars(
    "Show 200 jobs with the names of their companies & <skills>",
    [
        Panel("Queries", [Bar("one query for each job", 201, "201 queries"), Bar("select_related", 1, "1 query")]),
        Panel(
            "Time", [Bar("one query for each job", 110, "110 ms", (104, 131)), Bar(LONG, 3.6, "3.60 ms", (3.4, 4.4))]
        ),
    ],
    "201 queries, then 1.",
)
NOTHING_LOST = plot.bars("Lost", [Panel("Lost", [Bar("read, write", 625, "625 lost"), Bar("F()", 0, "0 lost")])], "d")
DEPTHS = (1000, 10_000, 100_000, 900_000)
CURVES = plot.lines(
    "A page at growing depth of 1,000,000 jobs",
    "rows skipped",
    "Time of one page, ms",
    [
        Line("OFFSET", [(x, x / 6500) for x in DEPTHS], "137 ms"),
        Line("keyset: bounded OR", [(x, 0.017) for x in DEPTHS], "0.017 ms"),
        Line("keyset: row value", [(x, 0.018) for x in DEPTHS], "0.018 ms"),
    ],
    "OFFSET grows, the others do not.",
)
STRAIGHT = plot.lines(
    "Memory", "rows", "Peak, MiB", [Line("list()", [(0, 20), (50_000, 60), (100_000, 101)], "101 MiB")], "d"
)
PICTURES = {"comparison": COMPARISON, "nothing-lost": NOTHING_LOST, "curves": CURVES, "straight": STRAIGHT}


def picture(name):
    return pytest.param(PICTURES[name], id=name)


every_picture = pytest.mark.parametrize("svg", [picture(name) for name in PICTURES])


@every_picture
def test_it_is_small_self_contained_and_says_what_it_shows(svg):
    assert len(gzip.compress(svg.encode())) < 5000
    root = ElementTree.fromstring(svg)  # noqa: S314  our own
    name = {"svg": "http://www.w3.org/2000/svg"}
    assert root.get("role") == "img"
    assert root.get("viewBox").startswith("0 0 720 ")
    for part in root.get("aria-labelledby").split():
        assert root.find(f"*[@id='{part}']", name).text
    assert not re.search(r"href|url\(|@import|<script|<image|<foreignObject|on\w+=", svg)
    assert re.findall(r"https?://[^\"' )]+", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r'="[^"]*\d\.\d\d', svg), "coordinates carry noise"


def test_it_is_the_same_in_another_process():
    code = "import sys; sys.path[:0] = ['tests']; import test_plot; sys.stdout.write(test_plot.CURVES)"
    for seed in "12":
        command = [sys.executable, "-c", code]
        env = {"PYTHONHASHSEED": seed, "PATH": ""}
        assert subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True).stdout == CURVES


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [plot.LIGHT, plot.DARK], ids=["light", "dark"])
def test_text_bars_and_lines_stand_out(colours):
    paper = luminance(colours["paper"])
    for name in set(colours) - {"paper", "rule"}:
        dark, light = sorted((paper, luminance(colours[name])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


def test_colours_are_those_of_the_site():
    css = (ROOT / "docs/assets/stylesheets/nexus.css").read_text("utf-8")
    for colours in (plot.LIGHT, plot.DARK):
        for name in ("paper", "ink", "muted", "rule", "measured"):
            assert f"--nexus-{name}: {colours[name]};" in css
        assert f"--nexus-accent: {colours['s1']};" in css


def test_scale_is_logarithmic_above_a_ratio_of_20_only():
    def heading(*values):
        svg = plot.bars("t", [Panel("Queries", [Bar("x", v, str(v)) for v in values])], "d")
        return re.search(r"Queries[^<]*", svg)[0]

    assert heading(201, 2) == "Queries · log scale"
    assert heading(40, 2) == heading(201, 0) == heading(0, 0) == "Queries"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot.bars("t", [], "d"),
        lambda: plot.bars("t", [Panel("p", [])], "d"),
        lambda: plot.bars("t", [Panel("p", [Bar("x", 1, "1" * 50)])], "d"),
        lambda: plot.lines("t", "x", "y", [], "d"),
        lambda: plot.lines("t", "x", "y", [Line("x", [(1, 1)], "1")], "d"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(plot.PlotError):
        draw()


HTML = "<!doctype html><meta name=viewport content='width=device-width'><style>:root{color-scheme:light dark}"
HTML += "body{margin:0}img,svg{display:block;width:100%;height:auto}</style>"
DIFFERENCE = """async ([one, other]) => {
    const pixels = await Promise.all([one, other].map(async data => {
        const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob());
        const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
        canvas.drawImage(image, 0, 0);
        return canvas.getImageData(0, 0, image.width, image.height).data;
    }));
    return pixels[0].filter((value, index) => Math.abs(value - pixels[1][index]) > 90).length / pixels[0].length;
}"""


def difference(page, one, other):
    """Return the share of the channels of all pixels that differ a lot in two screenshots."""
    return page.evaluate(DIFFERENCE, [b64encode(png).decode() for png in (one, other)])


LOOK = """() => [...document.querySelectorAll('text')].map(text => {
    const box = text.getBoundingClientRect(), style = getComputedStyle(text);
    const scale = text.ownerSVGElement.getBoundingClientRect().width / 720;
    return {text: text.textContent, size: parseFloat(style.fontSize) * scale, digits: style.fontVariantNumeric,
            left: box.left, right: box.right, top: box.top, bottom: box.bottom};
})"""


@every_picture
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 720])
def test_it_reads_well_in_a_browser(browser, tmp_path, svg, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_content(HTML + svg)
    texts = page.evaluate(LOOK)
    assert min(text["size"] for text in texts) >= 11
    assert {text["digits"] for text in texts} == {"tabular-nums"}
    assert all(text["left"] >= 6 and text["right"] <= width - 6 for text in texts), "text leaves the card"
    for one, other in combinations(texts, 2):
        across = min(one["right"], other["right"]) - max(one["left"], other["left"])
        down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
        assert across <= 1 or down <= 2, (one["text"], other["text"])
    colours = plot.LIGHT if scheme == "light" else plot.DARK
    paper = page.evaluate("getComputedStyle(document.querySelector('.k')).fill")
    assert [int(part) for part in re.findall(r"\d+", paper)] == [
        int(colours["paper"][i : i + 2], 16) for i in (1, 3, 5)
    ]
    inline = page.screenshot()
    # As a file in an <img>, which is how pages show it, it looks the same: scheme and width reach inside. Not to the
    # pixel where it is scaled, so the yardstick is the picture without its larger text.
    (tmp_path / "results.svg").write_text(svg, "utf-8")
    (tmp_path / "page.html").write_text(f"{HTML}<img src=results.svg>", "utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    as_image = page.screenshot()
    page.set_content(HTML + svg.replace(f"max-width:{plot.NARROW}px", "max-width:0"))
    small = page.screenshot()
    assert 4 * difference(page, as_image, inline) <= difference(page, small, inline)
    page.close()
