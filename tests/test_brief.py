"""No statement of the owner's brief may be lost.

One line of BRIEF is one statement: its key; the section of the page where it lives (`page#heading`); the words that
must stand in that section; the words that must stand on the home page, which has every statement in short.
Words are regular expressions, compared without case, Markdown's marks and line breaks.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
HOME = "README.md"
TECH = "technologies/README.md"
CONCEPTS = "concepts/README.md"
CHALLENGES = "challenges/README.md"
PRACTICES = "best-practices/README.md"
TOGETHER = "collaboration/README.md"


class Statement(NamedTuple):
    key: str
    where: str
    words: str
    at_home: str


BRIEF = [
    Statement(*line)
    for line in (
        # The objective: two sentences. Its home is the home page.
        ("objective/hub", f"{HOME}#project-objective", "hub for my major learnings", "alx-project-nexus"),
        ("objective/program", f"{HOME}#project-objective", "ProDev Backend Engineering Program", "from the ALX ProDev"),
        ("objective/understanding", f"{HOME}#project-objective", "concepts, tools, challenges", "how I understand"),
        ("objective/practices", f"{HOME}#project-objective", "best practices", "tools, challenges and best"),
        (
            "objective/learners",
            f"{HOME}#project-objective",
            "collaborate with other learners",
            "I collaborate with other",
        ),
        # Key technologies
        ("technologies/python", f"{TECH}#python", "core programming language", "core language .* backend logic"),
        ("technologies/django", f"{TECH}#django", "backend services and APIs", "web framework"),
        ("technologies/rest-apis", f"{TECH}#rest-apis", "endpoints .* communication", "systems communicate"),
        ("technologies/graphql", f"{TECH}#graphql", "optimises data retrieval", "flexible query language"),
        ("technologies/docker", f"{TECH}#docker", "containerisation for consistent", "deployment stay consistent"),
        ("technologies/ci-cd", f"{TECH}#cicd", "testing, integration and deployment", "Pipelines that automate"),
        # Concepts: database design
        ("concepts/relational-modelling", f"{CONCEPTS}#relational-modelling", "wrong state", "relational modelling"),
        ("concepts/migrations", f"{CONCEPTS}#migrations", "change of the schema", "migrations"),
        ("concepts/indexing", f"{CONCEPTS}#indexing", "sorted copy", "indexing"),
        ("concepts/one-to-one", f"{CONCEPTS}#relationships", "1-to-1: User", "1-to-1"),
        ("concepts/one-to-many", f"{CONCEPTS}#relationships", "1-to-many: Company", "1-to-1, 1-to-many"),
        ("concepts/many-to-many", f"{CONCEPTS}#relationships", "many-to-many: Job", "1-to-many and many-to-many"),
        # Concepts: asynchronous programming
        ("concepts/async-tasks", f"{CONCEPTS}#async-tasks", "survive a crash", "used async tasks"),
        (
            "concepts/workers",
            f"{CONCEPTS}#asynchronous-programming",
            "tasks and background workers",
            "background workers",
        ),
        ("concepts/celery", f"{CONCEPTS}#background-workers-with-celery", "Celery worker", "such as Celery"),
        ("concepts/async-why", f"{CONCEPTS}#asynchronous-programming", "performance and scalability", "scalability"),
        # Concepts: caching strategies
        ("concepts/redis", f"{CONCEPTS}#redis", "in memory under a key", "implemented Redis"),
        ("concepts/queries", f"{CONCEPTS}#query-optimisation", "cut queries", "Redis and query optimisation"),
        ("concepts/caching-why", f"{CONCEPTS}#caching-strategies", "reduce latency", "latency .* more efficient"),
        # Challenges, each with the parts of its solution
        ("challenges/relationships", f"{CHALLENGES}#complex-database-relationships", "Symptom", "complex database rel"),
        ("solutions/orm", f"{CHALLENGES}#complex-database-relationships", "applied the Django ORM", "the Django ORM"),
        ("solutions/foreign-keys", f"{CHALLENGES}#complex-database-relationships", "foreign keys", "with foreign keys"),
        (
            "solutions/many-to-many",
            f"{CHALLENGES}#complex-database-relationships",
            "and many-to-many relationships",
            "and many-to-many relationships",
        ),
        ("challenges/load", f"{CHALLENGES}#performance-bottlenecks-on-high-requests", "Symptom", "bottlenecks on high"),
        (
            "solutions/caching",
            f"{CHALLENGES}#performance-bottlenecks-on-high-requests",
            "with Redis",
            "caching with Redis",
        ),
        (
            "solutions/async",
            f"{CHALLENGES}#performance-bottlenecks-on-high-requests",
            "with Redis, async tasks",
            "Redis, async tasks",
        ),
        (
            "solutions/queries",
            f"{CHALLENGES}#performance-bottlenecks-on-high-requests",
            "and query optimisation",
            "tasks, and query optimisation",
        ),
        (
            "challenges/deployment",
            f"{CHALLENGES}#deployment-issues-across-environments",
            "Symptom",
            "deployment issues",
        ),
        ("solutions/docker", f"{CHALLENGES}#deployment-issues-across-environments", "Docker", "Docker containers"),
        (
            "solutions/ci-cd",
            f"{CHALLENGES}#deployment-issues-across-environments",
            "CI/CD pipelines",
            "CI/CD pipelines",
        ),
        (
            "solutions/builds",
            f"{CHALLENGES}#deployment-issues-across-environments",
            "consistent builds",
            "consistent builds",
        ),
        (
            "solutions/deploy",
            f"{CHALLENGES}#deployment-issues-across-environments",
            "and automated deployment",
            "and automated deployment",
        ),
        # Best practices and personal takeaways
        ("practices/clean", f"{PRACTICES}#clean-modular-and-documented-code", "Clean means", "clean, modular"),
        ("practices/modular", f"{PRACTICES}#clean-modular-and-documented-code", "Modular means", "modular and"),
        (
            "practices/documented",
            f"{PRACTICES}#clean-modular-and-documented-code",
            "Documented means",
            "documented code",
        ),
        ("practices/git", f"{PRACTICES}#version-control-with-git-and-github", "for collaboration", "Git and GitHub"),
        ("practices/unit-tests", f"{PRACTICES}#testing-before-deployment", "unit test checks", "unit tests"),
        (
            "practices/integration-tests",
            f"{PRACTICES}#testing-before-deployment",
            "integration test checks",
            "and integration tests",
        ),
        (
            "practices/tests-first",
            f"{PRACTICES}#testing-before-deployment",
            "prioritise testing",
            "tests before deploy",
        ),
        ("practices/authentication", f"{PRACTICES}#securing-applications", "Authentication:", "authentication"),
        (
            "practices/environment",
            f"{PRACTICES}#securing-applications",
            "Environment variables:",
            "environment variables",
        ),
        ("practices/validation", f"{PRACTICES}#securing-applications", "Validation:", "and validation"),
        ("practices/early", f"{PRACTICES}#caching-and-performance-early", "in the design phase", "in the design phase"),
        ("practices/communication", f"{PRACTICES}#constant-communication", "backend and frontend", "constant comm"),
        # Collaboration: with whom, where, and the tip
        ("collaboration/key", f"{TOGETHER}#collaboration", "key to success", "key to success"),
        ("backend/share", f"{TOGETHER}#share-knowledge", "Rule of thumb", "share knowledge"),
        ("backend/debug", f"{TOGETHER}#debug-issues-together", "symptom", "debug issues"),
        ("backend/design", f"{TOGETHER}#design-apis-together", "start from a screen", "design APIs together"),
        ("frontend/apis", f"{TOGETHER}#frontend-learners", "power the applications", "power their applications"),
        ("discord/channel", f"{TOGETHER}#the-discord-channel", "#ProDevProjectNexus", "#ProDevProjectNexus"),
        ("discord/ideas", f"{TOGETHER}#the-discord-channel", "share ideas", "share ideas"),
        ("discord/coordinate", f"{TOGETHER}#the-discord-channel", "coordinate projects", "coordinate projects"),
        ("discord/updated", f"{TOGETHER}#the-discord-channel", "stay updated", "stay updated"),
        ("tip/announce", f"{TOGETHER}#the-first-week", "announce your project idea", "announce your project"),
        ("tip/sync", f"{TOGETHER}#the-first-week", "who will use your API endpoints", "sync with the frontend"),
        ("tip/plan", f"{TOGETHER}#the-first-week", "plan collaboration sessions", "plan collaboration sessions"),
    )
]


def slug(heading: str) -> str:
    """The anchor that GitHub and the site give to a heading of plain words."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def section(markdown: str, anchor: str) -> str | None:
    """The text under a heading, with its subsections; None without such a heading."""
    depth, found = 0, None
    fenced = False
    for line in markdown.splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else re.fullmatch(r"(#{1,6}) (.+)", line)
        if heading and found is None and slug(heading[2]) == anchor:
            depth, found = len(heading[1]), []
        elif heading and found is not None and len(heading[1]) <= depth:
            break
        elif found is not None:
            found.append(line)
    return None if found is None else "\n".join(found)


def stands(words: str, markdown: str) -> bool:
    """Whether the words stand in the text, wherever lines break and whatever is a link, bold or code."""
    text = re.sub(r"\]\([^)]*\)|[*`\[\]]", "", markdown)
    return any(
        re.search(words, " ".join(block.split()), re.IGNORECASE) for block in re.split(r"\n\s*\n|\n(?=[-|])", text)
    )


def lost(statement: Statement, docs: Path = DOCS) -> list[str]:
    """What is missing of one statement: key, page and words, so that the reader of a failure knows where to write."""
    page, anchor = statement.where.split("#", 1)
    missing = []
    text = section((docs / page).read_text(encoding="utf-8"), anchor)
    if text is None:
        missing.append(f"{statement.key}: docs/{page} has no heading for #{anchor}")
    elif not stands(statement.words, text):
        missing.append(f"{statement.key}: docs/{page}#{anchor} no longer says /{statement.words}/")
    if not stands(statement.at_home, (docs / HOME).read_text(encoding="utf-8")):
        missing.append(f"{statement.key}: the home page docs/{HOME} no longer says /{statement.at_home}/")
    return missing


@pytest.mark.parametrize("statement", BRIEF, ids=lambda statement: statement.key)
def test_statement_has_its_home(statement: Statement) -> None:
    missing = lost(statement)
    assert not missing, "\n".join(["a statement of the brief is lost:", *missing])


def test_keys_are_unique() -> None:
    keys = [statement.key for statement in BRIEF]
    assert len(set(keys)) == len(keys)


def test_a_lost_statement_is_named_with_its_page(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "README.md").write_text("# Home\n\nWe use [Redis](a/README.md) here.\n", encoding="utf-8")
    (tmp_path / "a/README.md").write_text("# A\n\n## Cache\n\n**In\nmemory**.\n\n## Disk\n\nSlow.\n", encoding="utf-8")

    assert lost(Statement("k", "a/README.md#cache", "in memory", "use Redis here"), tmp_path) == []
    assert lost(Statement("k", "a/README.md#cache", "slow", "use Redis here"), tmp_path) == [
        "k: docs/a/README.md#cache no longer says /slow/"
    ]
    assert lost(Statement("k", "a/README.md#tape", "slow", "Kafka"), tmp_path) == [
        "k: docs/a/README.md has no heading for #tape",
        "k: the home page docs/README.md no longer says /Kafka/",
    ]
