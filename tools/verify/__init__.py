"""Prove every code block of a page that is not a listing, by its kind. An unknown kind is a problem.

A verifier is a function of all blocks of its kinds at once, so that a program is started once for all of them:
`verify(fences, root) -> problems`. The verifiers of the job board also get the board, which is set up only if needed.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tools import listings
from tools.listings import fences
from tools.listings.fences import Fence
from tools.portable.page import Page
from tools.portable.problem import Problem
from tools.verify import dockerfile, parsed, programs, shell, yaml_blocks

Verifier = Callable[[list[Fence], Path], Iterable[Problem]]

VERIFIERS: dict[tuple[str, ...], Verifier] = {
    ("json",): parsed.json_blocks,
    ("toml",): parsed.toml_blocks,
    ("mermaid",): parsed.mermaid_blocks,
    ("yaml",): yaml_blocks.verify,
    ("bash", "console"): shell.verify,
    ("dockerfile",): dockerfile.verify,
}
ON_THE_BOARD = ("python", "sql", "graphql", "http")
ONLY_BOUND = ("text", "diff")  # output, and what was changed: nothing but their file can prove them
KINDS = sorted([*(kind for kinds in VERIFIERS for kind in kinds), *ON_THE_BOARD])


def check(root: Path, pages: list[Path]) -> list[Problem]:
    """Verify the blocks of pages below root; return the problems sorted by path and line.

    Raises tools.services.ServiceError when a block needs servers and there are none.
    """
    root, problems, blocks = root.resolve(), [], []
    for path in pages:
        found, unread = fences.read(Page(root, path.resolve()))
        problems += unread
        for fence in found:
            if listings.is_listing(fence):
                continue
            if fence.code.strip():
                blocks.append(fence)
            else:
                problems.append(fence.problem(0, "the block is empty", 'write the code, or bind it: title="path"'))
    for kinds, verify in VERIFIERS.items():
        if chosen := [fence for fence in blocks if fence.kind in kinds]:
            try:
                problems += verify(chosen, root)
            except programs.MissingProgramError as error:
                problems.append(chosen[0].problem(0, "cannot be proved here", str(error)))
    if chosen := [fence for fence in blocks if fence.kind in ON_THE_BOARD]:
        problems += _on_the_board(chosen, root)
    problems += _unknown(blocks)
    return sorted(set(problems))


def _on_the_board(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    from tools.verify import board, graphql, http, python, sql  # Django is only needed by these

    verifiers = {"python": python.verify, "sql": sql.verify, "graphql": graphql.verify, "http": http.verify}
    with board.running(root) as running:
        for fence in blocks:
            yield from verifiers[fence.kind](fence, running)


def _unknown(blocks: list[Fence]) -> Iterator[Problem]:
    for fence in blocks:
        if fence.kind in ONLY_BOUND:
            message = f"nothing can prove a '{fence.kind}' block"
            yield fence.problem(0, message, 'bind it to a file, such as title="results.txt"')
        elif not fence.kind:
            fix = f"write it after the {fence.mark}: one of {', '.join([*KINDS, *ONLY_BOUND])}"
            yield fence.problem(0, "the fence does not name its language", fix)
        elif fence.kind not in KINDS:
            message = f"no verifier for a '{fence.kind}' block"
            yield fence.problem(0, message, f'bind it to a file with title="path", or use one of {", ".join(KINDS)}')
