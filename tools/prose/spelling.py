"""Spelling, by two tools that miss different things.

typos knows misspellings, and which spelling is British; it takes every other word for right. pyspellchecker knows
words: one that it does not know is reported only when it is one slip away from a common word and nothing else in the
project uses it, so that a new term or name is no report. dictionary.toml holds more words for both.

Code, addresses, tags and the titles of other people's pages are masked; of a diagram, the description and the quoted
labels are looked at.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.portable.page import Page
from tools.portable.problem import Problem
from tools.prose.programs import findings
from tools.prose.vocabulary import DICTIONARY, WORD, Vocabulary, common_near, words_in

NOT_OURS = re.compile(r"\[([^\[\]\n]*)\]\(<?https?://|(?<=\])\[([^\[\]\n]*)\]")
LABEL = re.compile(r"\s*acc(?:Title|Descr)\s*:(.*)|\"([^\"]*)\"")
BREAK = re.compile(r"<br\s*/?>")
WORD_ALONE = re.compile(r"(?<![\w.\-/'’])[a-z]{5,}(?![\w\-/'’])")


def check(root: Path, pages: list[Page]) -> list[Problem]:
    """Report misspelt words, and words that are not spelt as in British English. Raises ProgramError."""
    texts = [words_of(page) for page in pages]
    known = Vocabulary(root)
    found = [(page, *slip) for page, text in zip(pages, texts, strict=True) for slip in _slips(page, text, known)]
    found += _misspellings(pages, texts)
    problems = {}  # by place, so that what both find is one report: that of typos, which knows more
    for page, line, word, corrections in found:
        right = " or ".join(f"'{correction}'" for correction in corrections[:3]) or "another word"
        fix = f"write {right}; if it is right, add it to tools/prose/{DICTIONARY.name}"
        problems[page.name, line, word] = Problem(page.name, line, "spelling", f"'{word}' is misspelt", fix)
    return list(problems.values())


def words_of(page: Page) -> list[str]:
    """The lines of a page with only what is to be spelt; the rest is blank."""
    lines = list(page.prose)
    for number, source in enumerate(page.lines):
        for found in NOT_OURS.finditer(source):  # the title of somebody else's page, and the label of a reference
            start, end = found.span(found.lastindex)
            lines[number] = lines[number][:start] + " " * (end - start) + lines[number][end:]
    for block in page.code_blocks:
        if page.lines[block.line - 1].strip(" >").startswith("```mermaid"):
            for number in range(block.line, min(block.end, len(lines))):
                labels = LABEL.finditer(page.lines[number])
                lines[number] = " ".join(BREAK.sub(" ", label[1] or label[2] or "") for label in labels)
    return [line.replace("\x00", " ").replace("\x01", " ") for line in lines]


def _misspellings(pages: list[Page], texts: list[list[str]]) -> Iterator[tuple[Page, int, str, list[str]]]:
    """What typos finds."""
    options = ["--isolated", "--config", str(DICTIONARY), "--format", "json", "--no-check-filenames", "--no-ignore"]
    with tempfile.TemporaryDirectory(prefix="prose-") as folder:
        for number, text in enumerate(texts):
            (Path(folder) / f"{number}.md").write_text("\n".join(text), "utf-8", newline="\n")
        for found in findings("typos", *options, ".", folder=Path(folder)):
            if found.get("type") == "typo":
                yield pages[int(Path(found["path"]).stem)], found["line_num"], found["typo"], found["corrections"]


def _slips(page: Page, text: list[str], known: Vocabulary) -> Iterator[tuple[int, str, list[str]]]:
    """Unknown words that are one letter, or two that changed places, from a common word."""
    own = words_in(page.text or "")
    source, written = Counter(WORD.findall(page.text or "")), Counter(WORD.findall("\n".join(text)))
    for number, line in enumerate(text, 1):
        for word in WORD_ALONE.findall(line):
            # What stands in the code of the page, too, is a name.
            if source[word] == written[word] and not known.elsewhere(word, own) and (common := common_near(word)):
                yield number, word, common
