"""Python: run in the job board, as `manage.py shell` would: every model is there, the rest is imported."""

import ast
import contextlib
import io
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Iterator

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify.board import Board

SECONDS = 3
MODULE = "page_block"


def verify(fence: Fence, board: Board) -> Iterator[Problem]:
    """Report what a block raises, at the line of the block that raised it; a warning counts as an error."""
    from django.apps import apps

    module = types.ModuleType(MODULE)
    for model in apps.get_models():
        setattr(module, model.__name__, model)
    sys.modules[MODULE] = module  # some libraries look a class up by its module
    try:
        with board.block(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _limited():
            warnings.simplefilter("error")
            tree = ast.parse(fence.code, fence.page)
            if not tree.body:
                yield fence.problem(1, "there is nothing to run", "write code, or say it in a sentence")
            code = compile(tree, fence.page, "exec", dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102  what a page shows is run: that is the point
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a block may also call sys.exit
        text = error.msg if isinstance(error, SyntaxError) else error
        said = f"{type(error).__name__}: {text}".removesuffix(": ")
        yield fence.problem(_line(error, fence), said, "correct the code, or move it to a test and list that")
    finally:
        del sys.modules[MODULE]


def _line(error: BaseException, fence: Fence) -> int:
    """The last line of the block on the way to the error."""
    if isinstance(error, SyntaxError) and error.filename == fence.page:
        return error.lineno or 1
    places = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == fence.page]
    return places[-1] or 1 if places else 1


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Stop a block that does not end; one that catches the first error gets the next a second later."""
    late = TimeoutError(f"the block did not end within {SECONDS} s")
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        raise late

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if stopped:
        raise late
