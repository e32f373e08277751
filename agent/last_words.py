"""What a program says and leaves when it breaks: the kind of fault, the place in the code, and nothing that it held.

A sensor's memory is full of other people's payloads. So no process of ours leaves a core or lets another look into it,
and no text of an error is shown that Python or a library made: it may quote what they choked on.
"""

import contextlib
import ctypes
import faulthandler
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

_PR_SET_DUMPABLE = 4  # prctl(2)
_CHAIN_MAX = 8  # errors that led to one another
_PLACES_MAX = 64  # of one error: a recursion has a thousand


def leave_nothing(program: str) -> None:
    """To be called first, by a process that is the program's own: no core, no debugger, no words but these.

    Not dumpable also holds where cores go to a program (core(5): a pipe ignores the limit), and for ptrace.
    """
    with contextlib.suppress(OSError, ValueError):  # a service manager may have done it, and then forbidden it
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

    def say(error: BaseException | None, what: str) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # no standard error: nothing to say it to
            sys.stderr.write("".join(f"{program}: {line}\n" for line in _lines(error, what)))
            sys.stderr.flush()

    def uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        say(error, "a fault of its own")

    def uncaught_in_a_thread(args: threading.ExceptHookArgs) -> None:
        say(args.exc_value, "a fault of its own, in a thread")

    def unraisable(args: Any) -> None:
        say(args.exc_value, "a fault of its own, while it tidied up")

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, uncaught_in_a_thread, unraisable
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # no standard error
        faulthandler.enable()  # where each thread stood, when one that hangs is ended (SIGABRT): places, and no values


def fault(error: BaseException) -> str:
    """An error in half a line: `ValueError at decoder.py:120`."""
    *_, place = (None, *_places(error.__traceback__))
    return f"{type(error).__name__} at {f'{Path(place[0]).name}:{place[1]}' if place else '?'}"


def _lines(error: BaseException | None, what: str) -> Iterator[str]:
    """The error and those that led to it, each with its places, the innermost last."""
    for number in range(_CHAIN_MAX):
        if error is None:
            break
        yield f"{what if number == 0 else 'after'}: {fault(error)}"
        yield from (f"  {path}:{line} {name}" for path, line, name in _places(error.__traceback__))
        error = error.__cause__ or error.__context__


def _places(where: TracebackType | None) -> list[tuple[str, int, str]]:
    """File, line and function of each call; the last ones when there are very many."""
    found: list[tuple[str, int, str]] = []
    while where is not None:
        code = where.tb_frame.f_code
        found.append((code.co_filename, where.tb_lineno, code.co_name))
        where = where.tb_next
    return found[-_PLACES_MAX:]
