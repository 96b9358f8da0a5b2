"""Read a page from disk: its text, and what is wrong with its bytes and its front matter."""

import re
from pathlib import Path

import yaml

MAX_LINE = 5_000  # characters; Python-Markdown needs quadratic time for some lines
MAX_PAGE = 100_000  # a long page has 20 000
MAX_FRONT_MATTER = 2_000
# Characters that nobody sees: those that steer a terminal, and those of Unicode that change the order of a line, with
# which code reads otherwise than it runs. The joiner of emoji (U+200D) is none of them.
CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]"
)
KEYS = ("description", "tags")

Report = tuple[int, str, dict[str, str]]  # line, rule id, values for the rule's message


def read(path: Path) -> tuple[str | None, list[Report]]:
    """Return the text with LF line endings, or None when the page cannot be checked further, and what was found."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        return None, [
            (
                1,
                "encoding",
                {
                    "found": f"the page cannot be read: {error.strerror}",
                    "fix": "name a readable file, such as docs/concepts/README.md",
                },
            )
        ]
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, [
            (
                line,
                "encoding",
                {"found": f"byte 0x{data[error.start]:02x} is not UTF-8", "fix": "save the file as UTF-8"},
            )
        ]
    found: list[Report] = []
    if text.startswith("\ufeff"):
        text = text[1:]
        found.append((1, "byte-order-mark", {}))
    if "\r" in text:
        found.append((text.count("\n", 0, text.index("\r")) + 1, "line-endings", {}))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if control := CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        return None, [*found, (line, "control-character", {"code": f"{ord(control[0]):04X}"})]
    if len(text) > MAX_PAGE:
        return None, [*found, (1, "too-complex", {"found": f"the page has more than {MAX_PAGE} characters"})]
    for number, line_text in enumerate(text.split("\n"), 1):
        if len(line_text) > MAX_LINE:
            return None, [*found, (number, "too-complex", {"found": f"the line has more than {MAX_LINE} characters"})]
    return text, found


def front_matter(text: str) -> tuple[int, list[Report]]:
    """Return the number of lines that front matter takes, 0 when there is none, and what is wrong with it."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return 0, []
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        return 0, [_wrong(1, "it is never closed", "write '---' on a line of its own after it")]
    block = "\n".join(lines[1:end])
    if len(block) > MAX_FRONT_MATTER:
        return end + 1, [
            _wrong(1, f"it has more than {MAX_FRONT_MATTER} characters", "keep description and tags short")
        ]
    try:
        root = yaml.compose(block, yaml.SafeLoader)
        values = yaml.safe_load(block)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # The mark of an unclosed bracket or quote stands behind the block; the last line is where to look.
        line = min(mark.line + 2, end) if mark else 1
        return end + 1, [_wrong(line, f"{error.problem or 'not YAML'}", "correct this line, or delete it")]
    except (yaml.YAMLError, ValueError, RecursionError):
        return end + 1, [_wrong(1, "not YAML", "write 'description: text'")]
    if not isinstance(values, dict) or not isinstance(root, yaml.MappingNode):
        return end + 1, [_wrong(1, "it is not a list of 'key: value' lines", "write 'description: text' or delete it")]
    found = []
    for key, _ in root.value:
        problem = _value_problem(key.value, values)
        if problem:
            found.append(_wrong(key.start_mark.line + 2, *problem))
    return end + 1, found


def _value_problem(key: object, values: dict) -> tuple[str, str] | None:
    if key not in KEYS:
        return f"the key '{key}' is not used here", "delete it; only description and tags are read"
    value = values.get(key)
    if key == "description" and not (isinstance(value, str) and value.strip()):
        return "description is not a text", "write 'description: one sentence'"
    if key == "tags" and not (isinstance(value, list) and all(isinstance(tag, str) for tag in value)):
        return "tags is not a list of words", "write 'tags: [one, two]'"
    return None


def _wrong(line: int, found: str, fix: str) -> Report:
    return line, "front-matter", {"found": found, "fix": fix}
