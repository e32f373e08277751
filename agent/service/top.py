"""`wardtap top`: the sensor's status file, looked at each second, for the person who stands at the tap.

A reader only: it opens no socket, asks the sensor nothing, and the sensor does not know of it. Without a terminal it
prints one view after the other, without a single escape sequence.
"""

import json
import os
import select
import shutil
import signal
import sys
import termios
import textwrap
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from agent.clock import NS_PER_S, Clock, SystemClock, boot_id
from agent.errors import InputError, StateError
from agent.service.board import is_alive
from agent.service.status import LISTENING, Status, load, places
from agent.service.top_view import Line, view, warning
from agent.visible import visible

EVERY_S = 1.0
SERVICE = "sudo systemctl status wardtap-sensor"
WHY_MAX = 1000  # two paths and a sentence
SIZE = (80, 24)  # where nobody says how large the terminal is
QUIT = b"qQ\x03\x04"  # q, and what Ctrl-C and Ctrl-D are without a terminal's help
# The other screen and no cursor; and back (xterm; the console of Linux passes over the first).
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class Seen(NamedTuple):
    """What there is to see at present."""

    status: Status | None
    age_s: int
    why: str = ""  # it is not the present: one sentence
    notes: tuple[Line, ...] = ()


def look(paths: tuple[Path, ...], clock: Clock) -> Seen:
    """Read the file; whatever is wrong with it is a sentence."""
    try:
        found = load(paths)
    except InputError as error:
        return Seen(None, 0, str(error))
    if found is None:
        where = " nor ".join(str(path) for path in paths)
        return Seen(None, 0, f"THE SENSOR IS NOT RUNNING: no status at {where}")
    status = found[0]
    this_boot = status.boot == boot_id().hex()
    now, then = (clock.mono_ns(), status.mono_ns) if this_boot else (clock.wall_ns(), status.wall_ns)
    age_s = max(0, now - then) // NS_PER_S
    notes = warning(status, age_s, alive=this_boot and is_alive(status.pid))
    if not this_boot and status.state == LISTENING:
        notes = [Line("THE SENSOR IS NOT RUNNING. These numbers are from before this machine started.", bad=True)]
    return Seen(status, age_s, notes[0].text if notes else "", tuple(notes))


def lines(seen: Seen, width: int, height: int) -> list[Line]:
    """The screen."""
    if seen.status is None:
        why = textwrap.wrap(visible(seen.why, WHY_MAX), width)
        return [Line(line, bad=True) for line in why[:height]]
    return view(seen.status, list(seen.notes), seen.age_s, width, height)


def as_json(seen: Seen) -> str:
    """One line: the status and what it is worth."""
    told = json.loads(seen.status.to_json()) if seen.status else None
    fresh = told is not None and not seen.why
    return json.dumps({"running": fresh, "age_s": seen.age_s, "why": seen.why, "status": told}, ensure_ascii=True)


def top(state: Path | None, *, once: bool = False, in_json: bool = False, clock: Clock | None = None) -> int:
    """Show until q, Ctrl-C or the end of the reader. StateError after a single look at a sensor that does not run."""
    its_clock, paths, out = clock or SystemClock(), places(state), sys.stdout
    if once:
        seen = look(paths, its_clock)
        print(as_json(seen) if in_json else _plain(lines(seen, *_size())))
        if seen.why:
            raise StateError(
                "no present status of a sensor", where=str(state or "this appliance"), todo="" if state else SERVICE
            )
        return 0
    if in_json or not out.isatty():
        while True:
            seen = look(paths, its_clock)
            print(as_json(seen) if in_json else _plain(lines(seen, *_size())) + "\n", flush=True)
            its_clock.sleep(EVERY_S)
    with _screen(out) as keys:
        while True:
            _paint(out, lines(look(paths, its_clock), *_size()))
            if _asked_to_quit(keys, its_clock):
                return 0


def _size() -> tuple[int, int]:
    size = shutil.get_terminal_size(SIZE)
    return max(1, size.columns), max(1, size.lines - 1)  # the last line stays free: nothing scrolls


def _plain(shown: list[Line]) -> str:
    """Without a terminal a line that is worth a look begins with an exclamation mark."""
    return "\n".join(f"! {line.text}" if line.bad else line.text for line in shown)


def _paint(out: TextIO, shown: list[Line]) -> None:
    marked = (f"{BOLD}{line.text}{PLAIN}" if line.bad else line.text for line in shown)
    out.write(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in marked) + REST_OF_SCREEN)
    out.flush()


@contextmanager
def _screen(out: TextIO) -> Iterator[int | None]:
    """The terminal as we need it, and as it was however we end; the keyboard's descriptor where there is one."""
    keys = sys.stdin.fileno() if sys.stdin.isatty() else None
    before = termios.tcgetattr(keys) if keys is not None else None
    ended = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if keys is not None:
            tty.setcbreak(keys)
        out.write(ENTER)
        yield keys
    finally:
        out.write(LEAVE)
        out.flush()
        if keys is not None and before is not None:
            termios.tcsetattr(keys, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, ended)


def _asked_to_quit(keys: int | None, clock: Clock) -> bool:
    """Wait a second for a key."""
    if keys is None:
        clock.sleep(EVERY_S)
        return False
    ready, _, _ = select.select([keys], [], [], EVERY_S)
    if not ready:
        return False
    pressed = os.read(keys, 64)
    return not pressed or any(key in QUIT for key in pressed)
