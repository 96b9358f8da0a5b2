"""The style of Markdown, by rumdl. Only rules that neither tools/portable nor the author's taste decides."""

from pathlib import Path

from tools.portable.page import Page
from tools.portable.problem import Problem
from tools.prose.programs import findings

# The rules in use, and what to do. rumdl's message says what is wrong.
FIXES = {
    "MD001": "go down one level at a time: '##', then '###'",
    "MD004": "write '-' for each item",
    "MD005": "indent the items of a list alike",
    "MD009": "delete the spaces at the end of the line",
    "MD011": "write [text](address)",
    "MD012": "leave one blank line",
    "MD018": "write a space after the '#'",
    "MD019": "write one space after the '#'",
    "MD020": "delete the '#' at the end of the line",
    "MD022": "leave a blank line before and after the heading",
    "MD023": "begin the heading at the start of the line",
    "MD025": "one page has one '# Title'; write '##'",
    "MD026": "delete the mark at the end of the heading",
    "MD027": "write one space after the '>'",
    "MD030": "write one space after the list marker",
    "MD038": "write `code` without spaces inside the backticks",
    "MD039": "write [text](address) without spaces inside the brackets",
    "MD041": "begin the page with '# Title'",
    "MD042": "write where the link leads",
    "MD047": "end the file with one line break",
    "MD048": "write ``` and not ~~~",
    "MD050": "write **words** for bold text",
    "MD052": "write [text](address), or `[code]` in backticks",
    "MD053": "use the reference, or delete it",
    "MD056": "write as many cells as the head of the table has",
    "MD059": "say in the text of the link where it leads",
    "MD062": "delete the spaces around the address",
    "MD068": "write the footnote, or delete it",
    "MD070": "write the outer fence with one backtick more",
    "MD075": "give the rows a head and a row of dashes, or delete the blank line before them",
    "MD083": "save the file as UTF-8, and type the character again",
    "MD092": "decide between the two versions, and delete the lines of '<', '=' and '>'",
    "MD095": "write the address with plain letters: these only look like them",
}
SETTINGS = [
    'MD004.style = "dash"',
    'MD026.punctuation=".,;:"',
    'MD048.style="backtick"',
    'MD050.style="asterisk"',
]


def check(root: Path, pages: list[Page]) -> list[Problem]:
    """Report Markdown that breaks one of FIXES. Raises ProgramError."""
    options = ["check", "--no-config", "--no-cache", "--stdin-batch", "--output-format", "json-lines"]
    options += ["--fail-on", "never", "--enable", ",".join(FIXES)]
    for setting in SETTINGS:
        options += ["--config", setting]
    text = "".join(f"{number}.md\0{page.text}\0" for number, page in enumerate(pages))
    problems = []
    for found in findings("rumdl", *options, folder=Path(__file__).parent, text=text):
        page = pages[int(Path(found["file"]).stem)]
        if found["rule"] == "MD041" and page.name.startswith(".github/"):
            continue  # a template goes below the title that its writer gives
        fix = FIXES.get(found["rule"], "correct it")
        problems.append(Problem(page.name, found["line"], found["rule"], _plain(found["message"]), fix))
    return problems


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
