"""The job board's OpenAPI document as lists: what can be called, and what goes in and out.

The document lies beside its page, and a test of the page holds it to the code; this needs no Django.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = "docs/technologies/openapi-contract/openapi.json"


def parts(root: Path) -> dict[str, str]:
    """Return the operations and the shapes as Markdown."""
    document = json.loads((root / DATA).read_text("utf-8"))
    return {"operations": operations(document), "shapes": shapes(document)}


def operations(document: dict[str, Any]) -> str:
    """Return a list item for each operation: what it does, takes and gives."""
    lines = []
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            done, answer = next(iter(operation["responses"].items()))
            takes = [] if {} in operation["security"] else ["a token"]
            takes += filter(None, [_content(operation.get("requestBody", {}))])
            takes += [f"`{p['name']}`" for p in operation.get("parameters", ()) if p["in"] != "path"]
            words = [f"- `{method.upper()} {address}`", operation.get("description", "")]
            words += [f"Takes {', '.join(takes)};"] if takes else []
            words += ["gives" if takes else "Gives", done, _content(answer)]
            lines.append(_plain(f"{' '.join(filter(None, words))}."))
    return "\n".join(lines)


def shapes(document: dict[str, Any]) -> str:
    """Return a list item for each shape; a field that may be missing has a question mark."""
    lines = []
    for name, schema in document["components"]["schemas"].items():
        required = set(schema.get("required", ()))
        fields = [
            f"`{field}`{'' if field in required else '?'} {_kind(kind)}"
            for field, kind in schema.get("properties", {}).items()
        ]
        values = ", ".join(f"`{value}`" for value in schema.get("enum", ()))
        lines.append(_plain(f"- **{name}:** {', '.join(fields) or f'one of {values}'}."))
    return "\n".join(lines)


def _content(holder: dict[str, Any]) -> str:
    """Return the name of the shape that a body or an answer has, or ''."""
    content = holder.get("content", {})
    return _kind(content["application/json"]["schema"]) if "application/json" in content else ""


def _kind(schema: dict[str, Any]) -> str:
    """Return the shape of a value in a word or two."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    kinds = schema.get("type", "anything")
    if kinds == "array":
        return f"list of {_kind(schema['items'])}"
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    return " or ".join([schema.get("format", words[0]), *words[1:]])


def _plain(text: str) -> str:
    """Return text on one line, in which nothing is read as a tag."""
    return " ".join(text.replace("<", "&lt;").split())
