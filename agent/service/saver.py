"""Files written on a thread of their own: capture never waits for a disk. Several files may share the thread."""

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from agent.durable import write_atomically
from agent.errors import StateError

CLOSE_TIMEOUT_S: Final = 5.0
Say = Callable[[str], None]
Work = Callable[[], None]
T = TypeVar("T")


class SaveThread:
    """Does what is handed over, in no order; of several works of one owner that wait the newest."""

    def __init__(self, name: str = "save", close_timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        self._waiting: dict[object, Work] = {}
        self._closing = False
        self._close_timeout_s = close_timeout_s
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, owner: object, work: Work) -> bool:
        """Hand it over; returns at once, and whether an older one waited and is skipped."""
        with self._condition:
            skipped = owner in self._waiting
            self._waiting[owner] = work
            self._condition.notify()
        return skipped

    def close(self) -> None:
        """Do what waits and end; a disk that does not answer is not waited for."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(self._close_timeout_s)

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Work | None:
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.popitem()[1] if self._waiting else None


class Saver:
    """One file. `failed`: saves that the disk refused."""

    def __init__(self, path: Path, say: Say, shared: SaveThread | None = None) -> None:
        self.path, self._say = path, say
        self.failed = 0
        self.last_error = ""
        self._thread = shared or SaveThread()
        self._own = shared is None

    def save(self, content: bytes) -> None:
        """Have it written."""
        self._thread.put(self, partial(self._write, content))

    def close(self) -> None:
        """Nothing comes any more; a shared thread is closed by whoever shares it."""
        if self._own:
            self._thread.close()

    def _write(self, content: bytes) -> None:
        try:
            write_atomically(self.path, content)
        except OSError as error:
            self.failed += 1
            self.last_error = error.strerror or type(error).__name__
            self._say(f"{self.path}: cannot be saved ({self.last_error})")


class KeptFile(Saver):
    """What is kept over a restart: read once, saved now and then. `damaged`: files that were refused.

    One of those is put aside (`NAME.damaged`), said and counted: a tap that does not start because of its memory would
    be worse than one that has forgotten.
    """

    def __init__(self, path: Path, say: Say, shared: SaveThread | None, every_s: int) -> None:
        """`every_s`: what a power cut may cost."""
        super().__init__(path, say, shared)
        self._every_s, self._saved_s = every_s, -1
        self.damaged = 0

    def read(self, reader: Callable[[Path], T], nothing: T, lost: str) -> T:
        """What `reader` finds, or `nothing`; `lost` says what that comes to."""
        try:
            return reader(self.path)
        except StateError as error:
            self.damaged += 1
            self._say(f"{error}; {lost}")
            with contextlib.suppress(OSError):
                self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            return nothing

    def is_due(self, now_s: int, *, changed: bool = True) -> bool:
        """Whether to save now; asked once a second."""
        if self._saved_s < 0:
            self._saved_s = now_s
        if not changed or now_s - self._saved_s < self._every_s:
            return False
        self._saved_s = now_s
        return True
