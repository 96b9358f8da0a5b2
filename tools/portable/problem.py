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
