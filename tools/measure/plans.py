"""What PostgreSQL did for one statement: EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """Nodes from the top down, such as 'Index Scan using job_open_newest'; pages of 8 KiB touched; seconds taken.

    The seconds are those of the server (Execution Time). They hold the cost of timing each node, and not the network.
    """

    nodes: tuple[str, ...]
    buffers: int
    seconds: float
    rows: int
    tree: dict[str, Any]

    @property
    def types(self) -> list[str]:
        """The kinds of nodes without names: ['Limit', 'Index Scan']."""
        return [node["Node Type"] for node in _walk(self.tree)]


def explain(connection: Any, query: Any, params: Any = None) -> Plan:
    """Run a queryset or an SQL statement under EXPLAIN, and undo what it changed."""
    from django.db import transaction

    if not isinstance(query, str):
        query, params = query.query.get_compiler(connection=connection).as_sql()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", params)
        (answer,) = cursor.fetchone()
        transaction.set_rollback(True)
    (found,) = json.loads(answer) if isinstance(answer, str) else answer
    tree = found["Plan"]
    return Plan(
        nodes=tuple(_name(node) for node in _walk(tree)),
        buffers=tree["Shared Hit Blocks"] + tree["Shared Read Blocks"],
        seconds=found["Execution Time"] / 1000,
        rows=int(tree["Actual Rows"]),
        tree=tree,
    )


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def _name(node: dict[str, Any]) -> str:
    using = f" using {node['Index Name']}" if "Index Name" in node and node["Node Type"] != "Bitmap Index Scan" else ""
    on = f" on {node.get('Relation Name') or node.get('Index Name') or ''}" if not using else ""
    return f"{node['Node Type']}{using}{on.removesuffix(' on ')}"
