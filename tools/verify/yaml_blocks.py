"""YAML: parsed; compose files, workflows and dependabot.yml also by their schemas, workflows also by zizmor.

A part of a workflow has no schema, but the actions that it uses are pinned like those of a whole one.
"""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify import programs

CORRECT = "correct this line"
MOST_NODES = 10_000  # of a document with its aliases written out, which check-jsonschema does; a few stand for millions
PINNED = re.compile(r"^(\./|docker://.+@sha256:)|@[0-9a-f]{40}$")
UNEXPECTED = re.compile(r"'([^']+)'(?:, '[^']+')* (?:was|were) unexpected")


def verify(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report what is not YAML, keys that stand twice, and what the schema of the file or zizmor does not accept."""
    trees: dict[int, yaml.Node] = {}
    schemas: dict[str, list[Fence]] = {}
    for fence in blocks:
        try:
            documents = list(yaml.compose_all(fence.code, yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = min(mark.line + 1, fence.code.count("\n")) if mark else 0
            yield fence.problem(line, f"not YAML: {error.problem}", CORRECT)
            continue
        except RecursionError:
            yield fence.problem(0, "not YAML that anybody reads: it is nested too deeply", CORRECT)
            continue
        if large := next((tree for tree in documents if tree and _size(tree, {}) > MOST_NODES), None):
            message = f"the aliases of this document stand for more than {MOST_NODES} values"
            yield fence.problem(large.start_mark.line + 1, message, "write out what they stand for")
            continue
        schema = _schema(documents[0]) if len(documents) == 1 else None
        for tree in documents:
            for node in _nodes(tree):
                yield from _repeated(fence, node)
                yield from _unpinned(fence, node) if schema != "github-workflows" else ()
        if schema:
            trees[id(fence)] = documents[0]
            schemas.setdefault(schema, []).append(fence)
    invalid = set()
    for schema, chosen in schemas.items():
        for fence, problem in _by_schema(schema, chosen, trees):
            invalid.add(id(fence))
            yield problem
    # zizmor reads none of its files when one is no workflow
    if workflows := [fence for fence in schemas.get("github-workflows", []) if id(fence) not in invalid]:
        yield from _by_zizmor(workflows)


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """How many nodes a document has when its aliases are written out; infinite when one stands for itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")  # until all below it is counted
        held = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = (part for item in held for part in (item if isinstance(item, tuple) else (item,)))
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _nodes(tree: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node of a document, once; an alias may stand for a node above it."""
    seen, left = set(), [tree] if tree else []
    while left:
        node = left.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            if isinstance(node, yaml.CollectionNode):
                left += [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]


def _repeated(fence: Fence, node: yaml.Node) -> Iterator[Problem]:
    """YAML forbids a key twice in a mapping; the parser takes the last one in silence."""
    seen = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen and key.value != "<<":
                yield fence.problem(key.start_mark.line + 1, f"the key '{key.value}' stands twice", "delete one")
            seen.add(key.value)


def _unpinned(fence: Fence, node: yaml.Node) -> Iterator[Problem]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "uses" and isinstance(value, yaml.ScalarNode) and not PINNED.search(value.value):
            message = f"the action {value.value} is not pinned"
            fix = "write the full hash of a commit after the @, and the version in a comment"
            yield fence.problem(value.start_mark.line + 1, message, fix)


def _schema(tree: yaml.Node | None) -> str | None:
    """The schema that a document says it follows by its keys; one misspelt key of them does not hide it."""
    keys = [str(key.value) for key, _ in tree.value] if isinstance(tree, yaml.MappingNode) else []

    def near(key: str) -> bool:
        return bool(difflib.get_close_matches(key, keys, 1, 0.7))

    if near("on") and near("jobs"):
        return "github-workflows"
    if near("version") and near("updates"):
        return "dependabot"
    return "compose-spec" if near("services") else None


def _by_schema(schema: str, blocks: list[Fence], trees: dict[int, yaml.Node]) -> Iterator[tuple[Fence, Problem]]:
    with programs.files(blocks, "%d.yml") as (folder, names):
        options = ["--builtin-schema", f"vendor.{schema}", "--output-format", "json"]
        report = json.loads(programs.output("check-jsonschema", *options, *names, folder=folder))
        for error in report.get("errors", []) + report.get("parse_errors", []):
            fence = names[Path(error["filename"]).name]
            best = error.get("best_match") or error
            line = _line(trees[id(fence)], best.get("path", "$"), best.get("message", ""))
            yield fence, fence.problem(line, f"{schema}: {best.get('message', 'cannot be parsed')}", CORRECT)


def _line(node: yaml.Node, path: str, message: str) -> int:
    """The line of a JSON path such as $.services.db, of the unexpected key there if the message names one."""
    for key, quoted, index in re.findall(r"\.([^.\[]+)|\['([^']+)'\]|\[(\d+)\]", path):
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == (key or quoted)), node)
        elif isinstance(node, yaml.SequenceNode) and index:
            node = node.value[int(index)]
    if (found := UNEXPECTED.search(message)) and isinstance(node, yaml.MappingNode):
        node = next((name for name, _ in node.value if name.value == found[1]), node)
    return node.start_mark.line + 1


def _by_zizmor(blocks: list[Fence]) -> Iterator[Problem]:
    with programs.files(blocks, "%d.yml") as (folder, names):
        options = ["--offline", "--no-config", "--no-ignores", "--no-progress", "--format=json"]
        for found in json.loads(programs.output("zizmor", *options, *names, folder=folder)):
            places = found["locations"]
            place = next((p for p in places if p["symbolic"]["kind"] == "Primary"), places[0])
            fence = names[Path(place["symbolic"]["key"]["Local"]["verbatim_path"]).name]
            line = place["concrete"]["location"]["start_point"]["row"] + 1
            yield fence.problem(line, f"zizmor {found['ident']}: {found['desc']}", CORRECT)
