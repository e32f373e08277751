"""State written on a thread of its own: capture never waits for a disk. Several files may share the thread."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.durable import write_atomically

CLOSE_TIMEOUT_S: Final = 5.0
Say = Callable[[str], None]


class SaveThread:
    """Writes what is handed over; of several contents of one file that wait the newest."""

    def __init__(self) -> None:
        self._waiting: dict[Saver, bytes] = {}
        self._closing = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="save", daemon=True)
        self._thread.start()

    def put(self, saver: "Saver", content: bytes) -> None:
        """Hand it over; one a file waits at most."""
        with self._condition:
            self._waiting[saver] = content
            self._condition.notify()

    def close(self) -> None:
        """Write what waits; a disk that does not answer is not waited for."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            saver, content = taken
            saver.write(content)

    def _next(self) -> tuple["Saver", bytes] | None:
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.popitem() if self._waiting else None


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
        self._thread.put(self, content)

    def close(self) -> None:
        """Nothing comes any more; a shared thread is closed by whoever shares it."""
        if self._own:
            self._thread.close()

    def write(self, content: bytes) -> None:
        """Write it now; the thread's work."""
        try:
            write_atomically(self.path, content)
        except OSError as error:
            self.failed += 1
            self.last_error = error.strerror or type(error).__name__
            self._say(f"{self.path}: cannot be saved ({self.last_error})")
