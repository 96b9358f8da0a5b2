"""Words that help no reader: they belittle, they advertise, or they are longer than what they say.

Only what is wrong nearly always stands here: "just before the commit" and "a powerful key" are good English.
"""

import re
from collections.abc import Iterator

from tools.portable.page import Page
from tools.portable.problem import Problem

BELITTLE = "what is simple to you may be new to the reader; delete it"
HYPE = "say what it does, with a number that was measured, or delete it"
# Verbs that no participle looks like: "the row that you have just put" is good English.
DO = "add|use|write|type|click|do|call|make|copy|install|change|follow|create|delete|remove|start|open|ask|need|works?"

# pattern -> what to do
WORDS = {
    r"simply|obviously|trivially|of course|needless to say|as everyone knows|it goes without saying": BELITTLE,
    rf"just (?:{DO})|(?:can|could|please) just(?! (?:as|about|before|after|in time)\b)": BELITTLE,
    r"seamless(?:ly)?|effortless(?:ly)?|cutting[- ]edge|state-of-the-art|best[- ]in[- ]class"
    r"|world[- ]class|game[- ]chang(?:er|ing)|next[- ]generation|revolutioni[sz]es?|industry[- ]leading"
    r"|enterprise[- ]grade|battle[- ]tested|rock[- ]solid|blazing(?:ly)?[- ]fast|lightning[- ]fast|turbo-?charge[sd]?"
    r"|super-?charge[sd]?|unlock(?:s|ing)? the (?:full )?(?:power|potential)|unleash(?:es|ing)?|hassle[- ]free"
    r"|(?:awesome|amazing)(?:ly)?|incredibl[ey]|harness(?:es|ing)? the power|take[s]? .{1,30} to the next level": HYPE,
    # "a more powerful machine" and "a powerful token" say something that can be checked
    r"(?<!more )(?<!most )(?<!less )(?<!as )powerful(?! (?:\w+ )?(?:accounts?|roles?|tokens?|keys?|rights?|users?"
    r"|machines?|computers?|servers?|permissions?|credentials?|than))": HYPE,
    r"delv(?:e|es|ing) into": "write 'look at'",
    r"utili[sz](?:e|es|ed|ing)": "write 'use'",
    r"leverag(?:es|ed|ing)|(?:to|can|we|you|and) leverage": "write 'use'",
    r"please note(?: that)?|it is important to note(?: that)?|it should be noted that": "say it, without these words",
}
PATTERNS = [(re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.I), fix) for pattern, fix in WORDS.items()]
NAMES = re.compile(r"\b(?:Github|Postgre?sql|Postgres SQL|Javascript|Typescript|Graphql|GraphQl|Mysql|Openapi)\b")
RIGHT = {
    name.lower(): name for name in ("GitHub", "PostgreSQL", "JavaScript", "TypeScript", "GraphQL", "MySQL", "OpenAPI")
}
# A word that is spoken of, and what somebody else says.
QUOTED = re.compile(r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”")


def check(page: Page) -> Iterator[Problem]:
    """Report the words in the prose of a page; code, addresses and quotations are left alone."""
    for number, line in enumerate(page.prose, 1):
        line = QUOTED.sub(lambda quote: " " * len(quote[0]), line)
        for pattern, fix in PATTERNS:
            for found in pattern.finditer(line):
                yield Problem(page.name, number, "word", f"'{found[0]}' helps no reader", fix)
        for found in NAMES.finditer(line):
            right = RIGHT.get(found[0].lower().replace(" ", ""), "PostgreSQL")
            yield Problem(page.name, number, "word", f"'{found[0]}' is not how the name is written", f"write '{right}'")
