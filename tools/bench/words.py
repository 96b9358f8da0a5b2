"""Sentences, tables, lists and code out of a seeded random generator: text with the shape of a page and no sense."""

import random


def _words(text: str) -> list[str]:
    return text.split()


NOUNS = _words(
    """
    cluster node table index query plan schema column row partition replica shard transaction snapshot backup
    volume image container registry layer network port proxy gateway endpoint token session cache buffer pool
    queue topic consumer producer stream batch job worker scheduler trigger pipeline stage artifact release
    branch commit tag merge review policy role grant secret key certificate chain hash signature manifest
    service deployment probe metric counter gauge histogram trace span log event alert rule dashboard panel
    quota limit timeout retry lock lease leader follower quorum checkpoint segment page block file path mount
    driver kernel thread process signal socket header payload encoding parser lexer grammar module package class
    method function argument variable literal operator expression statement test fixture mock
    """
)
VERBS = _words(
    """
    configure create remove inspect restart drain promote replicate compact vacuum analyze validate parse
    compile render publish deploy rotate revoke scan split route balance throttle schedule flush export import
    migrate upgrade monitor measure profile debug release
    """
)
ADJECTIVES = _words(
    """
    idle active stale remote local primary secondary read-only immutable nested partial incremental full cold
    warm default custom explicit implicit optional required strict lazy eager durable volatile sorted unique
    composite distributed shared private public encrypted signed compressed empty large small slow fast safe
    """
)
JOINERS = _words("before after when because unless while although so")

Links = list[tuple[str, str]]  # (text, relative address)


class Words:
    """Everything comes from one random generator, so that one seed is one text."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)  # noqa: S311  (a corpus, not a secret)

    def noun(self) -> str:
        return self.random.choice(NOUNS)

    def verb(self) -> str:
        return self.random.choice(VERBS)

    def adjective(self) -> str:
        return self.random.choice(ADJECTIVES)

    def thing(self) -> str:
        adjective = self.adjective() + " " if self.random.random() < 0.5 else ""
        return self.random.choice(["the ", "each ", "every ", "one "]) + adjective + self.noun()

    def title(self) -> str:
        return f"{self.verb().capitalize()} {self.adjective()} {self.noun()} {self.noun()}"

    def inline(self, links: Links) -> str:
        """A thing, now and then as code, strong, emphasised or linked."""
        kind = self.random.random()
        if kind < 0.10:
            return f"`{self.noun()}_{self.noun()}`"
        if kind < 0.14:
            return f"**{self.thing()}**"
        if kind < 0.17:
            return f"*{self.thing()}*"
        if kind < 0.20 and links:
            text, address = self.random.choice(links)
            return f"[{text}]({address})"
        return self.thing()

    def clause(self, links: Links) -> str:
        return f"{self.inline(links)} can {self.verb()} {self.inline(links)}"

    def sentence(self, links: Links) -> str:
        text = self.clause(links)
        if self.random.random() < 0.6:
            text += f" {self.random.choice(JOINERS)} {self.clause(links)}"
        if self.random.random() < 0.3:
            text += f", and {self.verb()} {self.inline(links)} with {self.inline(links)}"
        return text[0].upper() + text[1:] + "."

    def paragraph(self, links: Links) -> str:
        return " ".join(self.sentence(links) for _ in range(self.random.randint(1, 4)))

    def table(self) -> str:
        width = self.random.randint(3, 4)
        lines = [" | ".join(["Name", "Type", "Default", "Meaning"][:width]), " | ".join(["---"] * width)]
        for _ in range(self.random.randint(4, 12)):
            kind = self.random.choice(["string", "integer", "boolean", "duration"])
            cells = [f"`{self.noun()}_{self.noun()}`", kind, f"`{self.random.randint(0, 500)}`", self.sentence([])]
            lines.append(" | ".join(cells[:width]))
        return "\n".join(f"| {line} |" for line in lines)

    def items(self, links: Links) -> str:
        """A list, numbered or not, with lists inside at four spaces."""
        numbered, lines = self.random.random() < 0.4, []
        for number in range(1, self.random.randint(3, 7) + 1):
            lines.append((f"{number}. " if numbered else "- ") + self.sentence(links))
            if self.random.random() < 0.2:
                lines += [f"    - {self.sentence([])}" for _ in range(2)]
        return "\n".join(lines)

    def code(self) -> str:
        kinds = [self._python, self._sql, self._yaml, self._dockerfile, self._bash]
        return self.random.choices(kinds, [4, 3, 3, 1, 2])[0]()

    def _python(self) -> str:
        result = self.noun().capitalize()
        lines = [f"from {self.noun()} import {result}", "import logging", "", "log = logging.getLogger(__name__)"]
        for _ in range(self.random.randint(1, 3)):
            first, second = self.random.sample(NOUNS, 2)
            lines += [
                "",
                "",
                f"def {self.verb()}_{first}({first}: str, {second}: int = {self.random.randint(1, 90)}) -> {result}:",
                f'    """{self.sentence([])}"""',
                f"    for i in range({second}):",
                f'        if {first}.startswith("{self.noun()}-") and i % {self.random.randint(2, 9)} == 0:',
                f'            log.info("%s %d", {first}, i)  # {self.thing()}',
                f'    return {result}({first}, limit={second}, mode="{self.adjective()}")',
            ]
        return fence("python", lines)

    def _sql(self) -> str:
        name, time, count, table = self.random.sample(NOUNS, 4)
        lines = [
            f"-- {self.thing()}",
            f"CREATE TABLE {table}s (",
            "    id bigint PRIMARY KEY,",
            f"    {name} text NOT NULL DEFAULT '{self.noun()}',",
            f"    {time}_at timestamptz,",
            f"    CHECK (length({name}) < {self.random.randint(8, 200)})",
            ");",
            "",
            f"SELECT {name}, count(*) AS {count}s, max({time}_at)",
            f"FROM {table}s JOIN {count}s USING (id)",
            f"WHERE {time}_at > now() - interval '{self.random.randint(1, 30)} days'",
            f"GROUP BY {name}",
            f"ORDER BY 2 DESC LIMIT {self.random.randint(5, 50)};",
        ]
        return fence("sql", lines[self.random.choice([0, 8]) :])

    def _yaml(self) -> str:
        lines = ["services:"]
        for _ in range(self.random.randint(1, 3)):
            version = f"{self.random.randint(1, 9)}.{self.random.randint(0, 20)}"
            lines += [
                f"  {self.noun()}-{self.random.randint(1, 99)}:",
                f"    image: registry.example.com/{self.noun()}:{version}",
                f"    replicas: {self.random.randint(1, 9)}",
                "    environment:",
                f'      {self.noun().upper()}_{self.noun().upper()}: "{self.adjective()}"',
                f"      LOG_LEVEL: {self.random.choice(['info', 'debug', 'warning'])}  # {self.thing()}",
                "    ports:",
                f'      - "{self.random.randint(1024, 9999)}:{self.random.randint(80, 999)}"',
            ]
        return fence("yaml", lines)

    def _dockerfile(self) -> str:
        lines = [
            f"FROM python:3.{self.random.randint(11, 14)}-slim AS build",
            f"WORKDIR /opt/{self.noun()}",
            "COPY requirements.txt .",
            "RUN pip install --no-cache-dir -r requirements.txt",
            f"ENV {self.noun().upper()}={self.noun()}",
            f"# {self.thing()}",
            "COPY . .",
            f"EXPOSE {self.random.randint(1024, 9999)}",
            f'CMD ["python", "-m", "{self.noun()}", "--{self.noun()}", "{self.random.randint(1, 9)}"]',
        ]
        return fence("dockerfile", lines)

    def _bash(self) -> str:
        commands = range(self.random.randint(1, 4))
        return fence(
            "bash",
            [f"{self.noun()}ctl {self.verb()} --{self.noun()}={self.noun()} /srv/{self.noun()}" for _ in commands],
        )

    def flowchart(self) -> str:
        """A Mermaid flowchart of five to nine nodes in a chain with a branch, with its name and description."""
        nodes = self.random.sample(NOUNS, self.random.randint(5, 9))
        lines = [
            "flowchart LR",
            f"    accTitle: The way of a {nodes[0]}",
            f"    accDescr: How {self.thing()} becomes {self.thing()}.",
        ]
        lines += [f'    n{i}["{self.adjective()} {node}"]' for i, node in enumerate(nodes)]
        lines += [f"    n{i} -->|{self.verb()}| n{i + 1}" for i in range(len(nodes) - 1)]
        return fence("mermaid", [*lines, f"    n1 --> n{len(nodes) - 1}"])


def fence(header: str, lines: list[str]) -> str:
    return "\n".join([f"```{header}", *lines, "```"])
