"""The prose check reports what is wrong, with line and fix, and leaves good English alone."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from tools import prose
from tools.prose import programs, spelling, style
from tools.prose.vocabulary import DICTIONARY


def reports(root: Path, text: str, name: str = "docs/page.md") -> list[str]:
    """'line: what; fix' of every report about one page."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    found = prose.check(root, [path])
    assert all(str(problem).startswith(f"{name}:{problem.line}: ") for problem in found)
    return [f"{problem.line}: {problem.message}; {problem.fix}" for problem in found]


def test_the_pages_hold_no_slip():
    assert [str(problem) for problem in prose.check(ROOT)] == []


def test_what_people_read_on_github_is_looked_at_too(tmp_path):
    for name in ("README.md", "CONTRIBUTING.md", ".github/ISSUE_TEMPLATE/page.md", "docs/a/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A\n\nTwo enviroments.\n", "utf-8")
    names = [problem.path for problem in prose.check(tmp_path)]
    assert names == [".github/ISSUE_TEMPLATE/page.md", "CONTRIBUTING.md", "README.md", "docs/a/README.md"]


WRONG = {
    # spelling
    "The enviroment is ready.": "'enviroment' is misspelt; write 'environment'; if it is right, add it to tools/prose/",
    "The behavior of the color.": "'behavior' is misspelt; write 'behaviour'",
    "The table stnads here.": "'stnads' is misspelt; write 'stands'",
    "A [link whose text is worng](page.md).": "'worng' is misspelt; write 'worn' or 'wrong'; if",
    "![The tabel of rows](a.png)": "'tabel' is misspelt",
    "```mermaid\nflowchart LR\n    accTitle: The enviroment\n    a --> b\n```": "'enviroment' is misspelt",
    "```mermaid\nflowchart LR\n    a[\"a<br/>tabel\"] --> b\n```": "'tabel' is misspelt",
    # words
    "Simply run it.": "'Simply' helps no reader; what is simple to you may be new to the reader; delete it",
    "You can just add a row.": "'can just' helps no reader",
    "Then just use the index.": "'just use' helps no reader",
    "It is obviously faster.": "'obviously' helps no reader",
    "A powerful framework.": "'powerful' helps no reader; say what it does, with a number that was measured",
    "A seamless, cutting-edge tool.": "'cutting-edge' helps no reader",
    "It utilises the cache.": "'utilises' helps no reader; write 'use'",
    "Please note that it waits.": "'Please note that' helps no reader; say it, without these words",
    "Github keeps it.": "'Github' is not how the name is written; write 'GitHub'",
    # Markdown
    "#### Deep": "expected heading level 2, but found heading level 4; go down one level at a time",
    "Two  \n\n\n\nlines.": "multiple consecutive blank lines between content; leave one blank line",
    "A (link)[https://e.com/].": "reversed link syntax: use [link](https://e.com/) instead; write [text](address)",
    "* star": "list marker '*' does not match expected style '-'; write '-' for each item",
    "| a | b |\n| - | - |\n| 1 |": "table row has 1 cells, but expected 2; write as many cells as the head",
    "Read [here](page.md).": "link text should be descriptive; say in the text of the link where it leads",
    "# Second title": "multiple top-level headings",
    "## Ends with a colon:": "ends with punctuation ':'; delete the mark at the end of the heading",
    "~~~text\na\n~~~": "code fence style: use ``` instead of ~~~; write ``` and not ~~~",
    "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> main": "unresolved merge conflict",
    "[bank](https://p\u0430ypal.com/)": "confusable non-ASCII character U+0430",
    "CafÃ© and crÃ¨me.": "mojibake detected",
}  # fmt: skip


@pytest.fixture(scope="module")
def wrong(tmp_path_factory) -> dict[str, list[str]]:
    """The reports about each of WRONG, from one run about a page for each."""
    root = tmp_path_factory.mktemp("wrong")
    pages = {text: root / f"docs/{number}.md" for number, text in enumerate(WRONG)}
    (root / "docs").mkdir()
    for text, path in pages.items():
        path.write_text(f"# Page\n\n{text}\n", "utf-8", newline="\n")
    found = prose.check(root, list(pages.values()))
    return {text: [str(problem) for problem in found if (root / problem.path) == path] for text, path in pages.items()}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named_with_its_line_and_a_fix(wrong, text):
    assert any(WRONG[text] in report for report in wrong[text]), wrong[text]
    assert all(re.match(r"docs/\d+\.md:[3-9]: .+; .+", report) for report in wrong[text])


RIGHT = """# Page

The task runs just before the commit, just as "just do it" says, or just in time. It was just added.
A powerful token is a risk, and a more powerful machine a cost. The word "simply" is spoken of. It is an easy one.
Of `simply`, `Github`, `enviroment` and `color` nothing is said. ANALYZE and NO_COLOR are names.
See [Database access optimization](https://docs.djangoproject.com/) and <https://example.com/enviroment/color>.
The utilisation and the leverage of a team. We normalise, authorise, serialise and cancelled; a licence, to license.
Hstore, upsert, gunicorns, linters and de facto are terms. You don't, it doesn't, they wouldn't; the job's skill.

```python
color = "simply the enviroment"  # Github
```

```mermaid
flowchart LR
    accTitle: A colour
    ser["serialiser"] --> color
```

1. One

    goes on.
2. Two

| a | b |
| :-- | --: |
| <code>a&#124;b</code> | 2 |

<details markdown="1"><summary>More</summary>

- [ ] one
    - two

</details>

> [!NOTE]
> Text with a bare https://example.com/ address[^1].

[^1]: And a note.
"""


def test_good_english_is_no_report(tmp_path):
    assert reports(tmp_path, RIGHT) == []


def test_a_term_that_another_file_uses_is_no_slip(tmp_path):
    page = "# Page\n\nA stnads and a quorum of fsyncs.\n"
    assert len(reports(tmp_path, page)) == 1
    (tmp_path / "docs/other.md").write_text("# Other\n\nThe stnads.\n", "utf-8")
    assert reports(tmp_path, page) == []


def test_the_same_from_one_page_as_from_all(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"docs/{name}").mkdir(parents=True)
        (tmp_path / f"docs/{name}/README.md").write_text(f"# {name}\n\nTwo enviroments, simply.\n", "utf-8")
    every = [problem for problem in prose.check(tmp_path) if problem.path == "docs/a/README.md"]
    assert every == prose.check(tmp_path, [Path("docs/a/README.md")]) and len(every) == 2


def test_a_template_needs_no_title(tmp_path):
    assert reports(tmp_path, "Make sure of three things.\n", ".github/pull_request_template.md") == []
    assert "begin the page with '# Title'" in reports(tmp_path, "Make sure of three things.\n")[0]


def test_each_rule_of_style_exists_and_has_a_fix():
    command = [Path(sys.executable).with_name("rumdl"), "rule"]
    known = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert [rule for rule in style.FIXES if f"{rule} - " not in known] == []


def test_the_dictionary_has_each_word_once_and_as_it_is_written():
    words = tomllib.loads(DICTIONARY.read_text("utf-8"))["default"]["extend-words"]
    assert all(key == value for key, value in words.items())


def test_a_tool_that_is_missing_fails_or_hangs_is_a_report(tmp_path, monkeypatch):
    with pytest.raises(programs.ProgramError, match="no-such-tool is not installed"):
        programs.findings("no-such-tool", folder=tmp_path)
    with pytest.raises(programs.ProgramError, match="python failed: "):
        programs.findings("python", "-c", "raise SystemExit('broken')", folder=tmp_path)
    with pytest.raises(programs.ProgramError, match="python printed no JSON"):
        programs.findings("python", "-c", "print('text')", folder=tmp_path)
    monkeypatch.setattr(programs, "LONGEST", 0.2)
    with pytest.raises(programs.ProgramError, match=r"python did not end within 0\.2 s"):
        programs.findings("python", "-c", "import time; time.sleep(9)", folder=tmp_path)
    monkeypatch.setattr(spelling, "findings", lambda *_, **__: programs.findings("no-such-tool", folder=tmp_path))
    assert "no-such-tool is not installed" in str(prose.check(ROOT, [ROOT / "README.md"])[0])
