"""How the tools show what MkDocs reports: one plain line each, without colour, for people and for CI logs."""

import logging


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


def to_stderr(level: int = logging.WARNING) -> None:
    """Show MkDocs' messages from the given level on, as 'warning: text'."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain())
    log = logging.getLogger("mkdocs")
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False
