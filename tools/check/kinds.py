"""The kinds of page, and the parts that a page of each kind has, in their order.

`make new` writes a page from this table, and the anatomy check holds the pages to it, so the two cannot differ.
"""

from dataclasses import dataclass

DIAGRAM, LISTING, QUESTIONS, LINKS, TABLE = "diagram", "listing", "questions", "links", "table"


@dataclass(frozen=True)
class Part:
    """A section. `heading` begins its heading; `write` says what stands there; `holds` what `make new` puts there."""

    heading: str
    write: str
    holds: str = ""
    columns: str = "Option | Pick it when | Avoid it when"  # of a table
    needed: bool = True  # False: written by `make new`, and not every page of the kind needs it


@dataclass(frozen=True)
class Kind:
    """A kind of page; each section of the hub has one."""

    name: str
    section: str
    promise: str  # how the sentence below the title begins; "" where it is free
    parts: tuple[Part, ...] = ()
    box: bool = True  # the box "In three lines", and the line of needs and time below it
    run_on: bool = True  # that line says on what the page was run
    words: tuple[int, int] = (0, 0)  # the fewest and the most words of prose; (0, 0): any number


AFTER = "After this page"
CHECK = Part("Check yourself", "", QUESTIONS)
VERSIONS = Part("Versions", "what differs on other versions, or that nothing does as far as you measured")
MESSAGES = "an exact error message in bold code, its cause and its fix; delete the part if there is none"

KINDS = (
    Kind(
        "technology",
        "technologies",
        AFTER,
        (
            Part("The problem it removes", "the work or the mistake that you have without the tool"),
            Part("Mental model", "the three to five parts of the tool, as a picture", DIAGRAM),
            Part("Smallest working thing", "what the code below does, and what it answers", LISTING),
            Part("Grow it to our job board", "two or three steps, each with an effect that the reader sees"),
            Part("What it costs", "a number or a table of what you pay, and the limits"),
            Part("Choices that matter", "one sentence about the choice", TABLE),
            Part("Pitfalls", "four to six times: what you see, why, and what to do"),
            CHECK,
            Part("Cheat table", "the eight to twelve lines that a reader comes back for", TABLE, "You want | Write"),
            VERSIONS,
            Part("Next and sources", "", LINKS),
        ),
        words=(700, 1800),
    ),
    Kind(
        "concept",
        "concepts",
        AFTER,
        (
            Part("The question", "a puzzle with two answers that both look right; ask the reader to guess"),
            Part("The idea in one picture", "the idea, in one sentence", DIAGRAM),
            Part(
                "See it happen", "the experiment below, what it answers, and how that compares with the guess", LISTING
            ),
            Part("The rules that follow", "four to six numbered rules, each tied to the picture"),
            Part("In Django", "how the framework expresses the idea, or hides it"),
            Part("Where it breaks", "the limits, with a counter-example", needed=False),
            Part("Trade-offs", "what each way costs, and when to leave it", TABLE),
            Part("Common misbeliefs", "three, each refuted with evidence"),
            Part("Messages you may meet", MESSAGES, needed=False),
            CHECK,
            VERSIONS,
            Part("Next and sources", "", LINKS),
        ),
        words=(700, 1800),
    ),
    Kind(
        "challenge",
        "challenges",
        AFTER,
        (
            Part("Symptom", "what a user, a log line or a graph shows first, and how bad it is"),
            Part("Reproduce", "the data, the command, and the number that goes wrong", LISTING),
            Part("Diagnose", "the reasoning in its order, with one suspicion that was wrong", DIAGRAM),
            Part("Fix", "the smallest change first, then the robust one"),
            Part("Proof", "before and after: the same data, the same command", TABLE, "What | Before | After"),
            Part("Prevent", "the test or the rule that keeps the problem out"),
            Part("Trade-offs", "what the fix costs, and when to live with the problem"),
            VERSIONS,
            Part("Messages you may meet", MESSAGES, needed=False),
            Part("Interview note", "how you tell it in a minute: situation, evidence, decision, result"),
            CHECK,
            Part("Related", "", LINKS),
        ),
        words=(700, 1800),
    ),
    Kind(
        "best-practice",
        "best-practices",
        "",
        (
            Part("Why", "the failure that the rule prevents, shown once", LISTING),
            Part("Do and don't", "four to eight pairs", TABLE, "Do | Don't | Because"),
            Part("Make it automatic", "the tool, the hook or the test that keeps the rule", DIAGRAM),
            Part("How to know you comply", "facts that anybody can observe, as a list"),
            Part("Exceptions", "when it is right to break the rule"),
            Part("Cost", "what it takes to keep the rule", needed=False),
            CHECK,
            Part("Sources", "", LINKS),
        ),
        words=(700, 1800),
    ),
    Kind(
        "collaboration",
        "collaboration",
        AFTER,
        (
            Part("Outcome", "what both sides hold at the end"),
            Part("Who brings what", "one sentence", TABLE, "Backend | Frontend", needed=False),
            Part("Agenda", "each step with its minutes", DIAGRAM, needed=False),
            Part("Templates", "a message that the reader can copy", needed=False),
            Part("Worked example", "a disagreement on the job board, and how it was settled", LISTING, needed=False),
            Part("When it goes wrong", "three situations, each with a sentence to say"),
            Part("Done means", "a list of facts"),
            Part("Keep the record", "where the decisions live", needed=False),
            CHECK,
            Part("Next and sources", "", LINKS),
        ),
        run_on=False,
        words=(700, 1800),
    ),
    Kind("start", "start", "", run_on=False),
    Kind("reference", "reference", "", box=False),
    Kind("about", "about", "", box=False),
)
OF_SECTION = {kind.section: kind for kind in KINDS}
OF_NAME = {kind.name: kind for kind in KINDS}
