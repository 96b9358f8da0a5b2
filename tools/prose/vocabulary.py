"""Which words are known: those of a dictionary, and those that the project itself uses."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spellchecker import SpellChecker

DICTIONARY = Path(__file__).with_name("dictionary.toml")
TEXTS = (".md", ".py", ".toml", ".yml", ".yaml")  # questions.txt holds readers' slips
WORD = re.compile(r"[a-z]{5,}")
COMMON = 30_000  # uses in the corpus of pyspellchecker. Rarer words find more slips, and more terms that are right
AMERICAN = (("is", "iz"), ("ys", "yz"), ("our", "or"), ("ence", "ense"), ("ll", "l"), ("tre", "ter"), ("gue", "g"))
INFLECTED = re.compile(r"(?:s|es|d|ed|r|er|ers|ing|less|able)$")


class Vocabulary:
    """The words of the project at root: a term that a page or a line of code uses is no slip on another page."""

    def __init__(self, root: Path):
        self._files: Counter[str] = Counter()
        for path in (*(root / "docs").rglob("*"), *(root / "examples").rglob("*"), *root.glob("*")):
            if path.suffix in TEXTS and path.is_file():
                self._files.update(words_in(path.read_text("utf-8", errors="replace")))

    def elsewhere(self, word: str, own: set[str]) -> bool:
        """Whether a file uses the word that is not the one whose words are `own`."""
        return self._files[word] > (word in own)


def words_in(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


@cache
def common_near(word: str) -> list[str]:
    """The common words next to an unknown one, most used first; nothing for a word that is known."""
    words = _dictionary()
    american = (word.replace(british, instead) for british, instead in AMERICAN)
    if word in words or any(form in words for form in american):
        return []
    near = [form for form in words.edit_distance_1(word) if words.word_frequency[form] >= COMMON]
    if any(word.startswith(form) and INFLECTED.match(word[len(form) :]) for form in near):
        return []  # a common word with an ending is right, though unknown: "linters"
    return sorted(near, key=lambda form: (-words.word_frequency[form], form))


@cache
def _dictionary() -> SpellChecker:
    from spellchecker import SpellChecker  # `make new` and `make listings` do without it, and install the site's lock

    words = SpellChecker()
    words.word_frequency.load_words(tomllib.loads(DICTIONARY.read_text("utf-8"))["default"]["extend-words"])
    return words
