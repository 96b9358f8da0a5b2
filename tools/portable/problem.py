"""What a check looks for, and what it reports."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Names in braces in message and fix are filled in by the check; pattern is None when code finds the violation."""

    id: str
    message: str
    fix: str
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, order=True)
class Problem:
    """One violation. `path` is relative to the root of the project, `line` is 1-based, `rule` is an id of rules.py."""

    path: str
    line: int
    rule: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}; {self.fix}"

    @classmethod
    def parse(cls, text: str, rule: str) -> "Problem":
        """The problem that an error tells as 'path:line: message; fix'; one without a fix is corrected in its line."""
        path, line, told = re.match(r"(.+?):(\d+): (.*)", text, re.S).groups()
        message, _, fix = told.partition("; ")
        return cls(path, int(line), rule, message, fix or "correct this line")
