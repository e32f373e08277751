"""State written on a thread of its own: capture never waits for a disk."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.durable import write_atomically

CLOSE_TIMEOUT_S: Final = 5.0
Say = Callable[[str], None]


class Saver:
    """One file; of several contents that wait the newest is written. `failed`: saves that the disk refused."""

    def __init__(self, path: Path, say: Say) -> None:
        self.path, self._say = path, say
        self.failed = 0
        self.last_error = ""
        self._waiting: bytes | None = None
        self._closing = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"save {path.name}", daemon=True)
        self._thread.start()

    def save(self, content: bytes) -> None:
        """Hand it over; one waits at most."""
        with self._condition:
            self._waiting = content
            self._condition.notify()

    def close(self) -> None:
        """Write what waits; a disk that does not answer is not waited for."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _work(self) -> None:
        while (content := self._next()) is not None:
            try:
                write_atomically(self.path, content)
            except OSError as error:
                self.failed += 1
                self.last_error = error.strerror or type(error).__name__
                self._say(f"{self.path}: cannot be saved ({self.last_error})")

    def _next(self) -> bytes | None:
        with self._condition:
            self._condition.wait_for(lambda: self._waiting is not None or self._closing)
            content, self._waiting = self._waiting, None
            return content
