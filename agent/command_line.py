"""What the command lines of all our programs have in common: a sentence for each command, and how they end.

Errors are one line on standard error; their exit codes stand in agent/errors.py.
"""

import argparse
import os
import sys
from collections.abc import Callable

from agent.errors import WardtapError
from agent.last_words import fault
from agent.visible import visible

OWN_FAULT = 70  # sysexits EX_SOFTWARE
PIPE_CLOSED = 141  # what a shell shows for a writer whose reader went away
INTERRUPTED = 130
LINE_MAX = 1000  # characters


def ended(program: str, do: Callable[[], int]) -> int:
    """The exit code of a command, whatever becomes of it."""
    try:
        return do()
    except WardtapError as error:
        sys.stderr.write(f"{program}: {visible(error, LINE_MAX)}\n")
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at exit
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("WARDTAP_DEBUG"):
            raise  # its places, one a line; what an error says of itself is never shown: it may quote a payload
        sys.stderr.write(f"{program}: a fault of its own: {fault(error)}\n")
        return OWN_FAULT


def described(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser; the help of each command begins with what the list of commands says of it."""
    for action in parser._actions:  # noqa: SLF001 - argparse tells it in no other way than as a text for people
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for told in action._get_subactions():  # noqa: SLF001
                text = told.help or ""
                action.choices[told.dest].description = f"{text[:1].upper()}{text[1:]}."
            for inner in action.choices.values():
                described(inner)
    return parser
