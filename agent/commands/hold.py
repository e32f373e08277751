"""The clinical hold: while it stands, nothing that would stop listening is done. It survives restarts of everything."""

import json
from pathlib import Path

from agent.durable import write_atomically

_BYTES_MAX = 1024


class Hold:
    """One small file; a damaged one counts as a hold, because somebody once had a reason."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.why = self._read()

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                raw = file.read(_BYTES_MAX)
        except FileNotFoundError:
            return ""
        except OSError:
            return "its file cannot be read"
        try:
            return str(json.loads(raw)["why"])[:64] or "no reason given"
        except (ValueError, KeyError, TypeError, RecursionError):
            return "its file is damaged"

    def set(self, why: str) -> None:
        """Hold, or release with an empty reason; OSError when it cannot be made durable, and then nothing changes."""
        if why:
            write_atomically(self._path, json.dumps({"why": why}).encode())
        else:
            self._path.unlink(missing_ok=True)
        self.why = why
