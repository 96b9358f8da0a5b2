"""The parts that a page of its kind must have (kinds.py), each at its place, and how long it may be."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.check import facts, folder, todo
from tools.check.kinds import LINKS, OF_SECTION, QUESTIONS, Kind, Part
from tools.portable.page import Page
from tools.portable.problem import Problem

DIAGRAMS = (1, 3)
CHECKS = (3, 5)  # questions of "Check yourself"
OUTWARD, INWARD = 2, 2  # links of the last part, at least
PROMISE = 45  # words of the sentence below the title, at most
ENOUGH = 1_600  # words; more are advised against, and more than those of the kind refused
BOX = "> **In three lines**"
NEEDS = re.compile(r"\*\*Needs:\*\* .+ \*\*Time:\*\* (\d+) minutes")
MINUTES_OFF = 3  # what a stated time may differ from words and code, as counted
Found = Iterator[tuple[int, str, str]]  # line, message, fix


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading, the line of that, and the first line that is no longer its own."""

    heading: str
    line: int
    end: int


def check(root: Path, pages: list[Path] | None = None) -> list[Problem]:
    """Check pages (all README.md below docs when None) and their folders; return the problems, sorted."""
    docs, problems = root / "docs", set()
    paths = sorted(docs.rglob("README.md")) if pages is None else [(root / page).resolve() for page in pages]
    for path in paths:
        page, parts = Page(root, path), path.parent.relative_to(docs).parts
        if page.text is None:
            continue
        kind = OF_SECTION.get(parts[0]) if len(parts) == 2 else None
        reference = bool(parts) and parts[0] == "reference"
        problems |= set(folder.check(root, path.parent, is_page=len(parts) > 1, reference=reference))
        problems |= set(todo.on_page(page))
        found = [*_title(page), *(_of_kind(page, kind) if kind else ()), *_promise(page, kind)]
        problems |= {Problem(page.name, max(1, line), "anatomy", message, fix) for line, message, fix in found}
        if len(parts) == 2:
            problems |= set(_in_section(root, path))
    return sorted(problems)


def sections(page: Page) -> list[Section]:
    """The parts below the headings of the second level."""
    lines = [heading.line for heading in page.github.headings if page.lines[heading.line - 1].startswith("## ")]
    named = {heading.line: heading.text for heading in page.github.headings}
    return [Section(named[line], line, end) for line, end in zip(lines, [*lines[1:], len(page.lines) + 1], strict=True)]


def _of_kind(page: Page, kind: Kind) -> Found:
    unwritten = todo.lines(page)
    if kind.box:
        yield from _box(page, kind, unwritten)
    yield from _order(page, kind)
    for section in sections(page):
        part = next((part for part in kind.parts if _is(section, part)), None)
        if part and not any(section.line <= line < section.end for line in unwritten):
            yield from _filled(page, section, part)
    if kind.parts and not unwritten:
        yield from _size(page, kind)


def _title(page: Page) -> Found:
    first = next((n for n, line in enumerate(page.lines, 1) if line.strip()), 1)
    if not page.lines[first - 1].startswith("# "):
        yield first, "the page does not begin with its title", "write '# Words' as the first line"


def _promise(page: Page, kind: Kind | None) -> Found:
    """The paragraph right below the title says what the page gives."""
    text = [(n, line) for n, line in enumerate(page.lines, 1) if line.strip()]
    line, promise = next(((n, line) for n, line in text if not line.startswith("# ")), (1, ""))
    begins = kind.promise if kind else ""
    if todo.MARK in promise:
        return
    if not promise or promise[0] in ">#-*|`<!":
        what = f'"{begins} you can …"' if begins else "the rule, or what the page gives"
        yield line, "no sentence below the title says what the page gives", f"write one there: {what}"
    elif begins and not promise.startswith(begins):
        yield line, "the first sentence is no promise to the reader", f'begin it with "{begins} you can …"'
    elif kind and len(promise.split()) > PROMISE:
        yield line, f"the first sentence has {len(promise.split())} words", f"say it in {PROMISE} at most"


def _box(page: Page, kind: Kind, unwritten: set[int]) -> Found:
    """The box of three lines, then what the reader needs, how long it takes and what it ran on."""
    first = next((section.line for section in sections(page)), len(page.lines) + 1)
    head = page.lines[: first - 1]
    if BOX not in head:
        yield 3, "the box with the page in three lines is missing", f"write '> [!NOTE]', '{BOX}', '>', three '> - …'"
    else:
        begin = head.index(BOX) + 1
        items = sum(line.startswith("> - ") for line in head)
        if items != 3:
            yield begin, f"the box has {items} lines of text", "write three, each as '> - …'"
    line = next((n for n, text in enumerate(head, 1) if text.startswith("**Needs:**")), None)
    wanted = "**Needs:** [a page](../…/README.md). **Time:** 8 minutes." + " **Run on:** Django 5.2.19." * kind.run_on
    if line is None:
        yield first - 1, "nothing says what the reader needs, and how long it takes", f"write '{wanted}' below the box"
    elif line not in unwritten:
        stated = NEEDS.match(head[line - 1])
        if not stated or (kind.run_on and "**Run on:**" not in head[line - 1]):
            yield line, "the line of needs is not complete", f"write '{wanted}'"
        elif kind.parts and not unwritten:
            counted = facts.of(page)
            if abs(int(stated[1]) - counted.minutes) > MINUTES_OFF:
                what = f"its {counted.words:,} words, and {counted.samples} × code, take about {counted.minutes:.0f}"
                yield line, f"the page says {stated[1]} minutes; {what}", "write that time"


def _is(section: Section, part: Part) -> bool:
    return section.heading.casefold().startswith(part.heading.casefold())


def _order(page: Page, kind: Kind) -> Found:
    """Each needed part is there, in the order of its kind."""
    found = sections(page)
    wanted = [part for part in kind.parts if part.needed]
    stands = {part: next((s for s in found if _is(s, part)), None) for part in wanted}
    others = {s.heading: s for s in found if not any(_is(s, part) for part in kind.parts)}
    last = 0
    for number, part in enumerate(wanted):
        section = stands[part]
        if section is None:
            behind = next((stands[later] for later in wanted[number:] if stands[later]), None)
            near = difflib.get_close_matches(part.heading, others, 1, 0.8)
            line = others[near[0]].line if near else behind.line if behind else len(page.lines)
            what = {QUESTIONS: "three to five questions to unfold", LINKS: "links to pages and sources"}
            fix = f"rename '## {near[0]}'" if near else f"add it here, with {what.get(part.holds, part.write)}"
            yield line, f"a page of the kind '{kind.name}' has a part '## {part.heading}'", fix
        elif section.line < last:
            before = wanted[number - 1].heading
            yield section.line, f"'{section.heading}' stands too early", f"move it below '{before}'"
        last = max(last, section.line if section else 0)


def _filled(page: Page, section: Section, part: Part) -> Found:
    """The questions and the links of a part, and that it holds anything at all."""
    lines = page.lines[section.line : section.end - 1]
    text = "\n".join(lines)
    if not text.strip():
        yield (
            section.line,
            f"the part '{section.heading}' is empty",
            f"write it, or delete it: {part.write or part.holds}",
        )
    elif part.holds == QUESTIONS:
        number = text.count("<details")
        if not CHECKS[0] <= number <= CHECKS[1]:
            fix = f'write {CHECKS[0]} to {CHECKS[1]}, each in <details markdown="1"> with a <summary>'
            yield section.line, f"{number} question{'s' * (number != 1)} in '{section.heading}'", fix
    elif part.holds == LINKS:
        outward, inward = len(re.findall(r"\]\(https?://", text)), len(re.findall(r"\]\(\.\.?/", text))
        if outward < OUTWARD:
            fix = f"link to {OUTWARD} primary sources or more, each with what the reader finds there"
            yield section.line, f"{outward} source{'s' * (outward != 1)} in '{section.heading}'", fix
        if inward < INWARD:
            fix = "name the page to read before this one, and the next, as links"
            yield section.line, f"{inward} link{'s' * (inward != 1)} to other pages in '{section.heading}'", fix


def _size(page: Page, kind: Kind) -> Found:
    """How many words, and diagrams."""
    counted, (fewest, most) = facts.of(page), kind.words
    if counted.words > most:
        yield 1, f"the page has {counted.words:,} words", f"split it, or shorten it to {most:,}"
    elif counted.words < fewest:
        yield (
            1,
            f"the page has {counted.words:,} words",
            f"say more, {fewest:,} words at least, or make it a part of another",
        )
    if counted.diagrams > DIAGRAMS[1]:
        yield 1, f"the page has {counted.diagrams} diagrams", f"keep the {DIAGRAMS[1]} that carry an argument"
    elif counted.diagrams < DIAGRAMS[0]:
        yield 1, "the page has no diagram", "draw its main idea in a mermaid fence, with accTitle and accDescr"


def _in_section(root: Path, path: Path) -> Iterator[Problem]:
    """The section names the page, and what is said of it there is written."""
    overview = Page(root, path.parent.parent / "README.md")
    if overview.text is None:
        return
    link = f"]({path.parent.name}/README.md"
    lines = [number for number, line in enumerate(overview.lines, 1) if link in line]
    if not lines:
        message = f"the section does not name {path.parent.name}"
        fix = f"add '- [Title]({path.parent.name}/README.md): what the page teaches, in one sentence.'"
        yield Problem(overview.name, len(overview.lines), "anatomy", message, fix)
    yield from (problem for problem in todo.on_page(overview) if problem.line in lines)


def advice(page: Page) -> list[Problem]:
    """What would make a page better and does not fail the check: length, and code that nothing proves."""
    parts = page.path.parent.parts
    if page.text is None or len(parts) < 2 or parts[-2] not in OF_SECTION or not OF_SECTION[parts[-2]].parts:
        return []
    counted = facts.of(page)
    notes = []
    if counted.words > ENOUGH:
        notes.append(Problem(page.name, 1, "advice", f"the page has {counted.words:,} words", f"{ENOUGH:,} are enough"))
    if counted.sketches:
        what = f"{counted.sketches} sketch{'es' * (counted.sketches != 1)}: code that nothing proves"
        notes.append(Problem(page.name, 1, "advice", what, "make it a listing or a block"))
    return notes
