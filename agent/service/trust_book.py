"""The tap's trust table: from a file that somebody carries, or from the broker; newer ones only, and as of now.

The broker brings it as a retained message. It is believed for its two signatures and nothing else: it is verified
before it is unpacked, its version only rises - over restarts too - and it takes the old one's place in one rename. Of
its keys those count that may be valid now: what has ended before the earliest that it can be, or begins after the
latest, does not. A clock that nobody keeps right says nothing of the latest, so no key is lost to it.
"""

import contextlib
import json
from pathlib import Path

from agent.clock import Clock
from agent.durable import write_atomically
from agent.errors import Refused
from agent.signing.files import read_regular
from agent.signing.roster import Trust
from agent.signing.trust import BROKER_OCTETS_MAX, ROOT_NAME, load_root, load_trust, open_trust
from agent.wire.schema import I64_MAX

FILE_NAME, FLOOR_NAME = "trust.bin", "trust.floor.json"
_BYTES_MAX = 256


class TrustBook:
    """The table in use and its file."""

    def __init__(self, folder: Path, site: str, clock: Clock) -> None:
        """StateError, PermissionNeeded or Refused when there is no table to use."""
        self._folder, self._site, self._clock = folder, site, clock
        self._whole = load_trust(folder / FILE_NAME, folder / ROOT_NAME, version_min=self._floor())
        self.now = self._whole
        self.look()

    def look(self) -> None:
        """Which of its keys may be valid now."""
        self.now = self._whole.current(*_bounds_ns(self._clock))

    def reload(self) -> None:
        """A file that came meanwhile; the errors of a start, and then nothing has changed but the time."""
        self.look()
        fresh = load_trust(self._folder / FILE_NAME, self._folder / ROOT_NAME, version_min=self._whole.version)
        self._adopt(fresh)

    def receive(self, payload: bytes) -> bool:
        """A message of the broker; whether it is a newer table, which is durable then.

        Refused `too-large` before anything is looked at, as by `open_trust`, `wrong-site`, `equivocation`, `state`.
        """
        if len(payload) > BROKER_OCTETS_MAX:
            raise Refused(f"{len(payload)} octets, at most {BROKER_OCTETS_MAX}", reason="too-large")
        root = load_root(self._folder / ROOT_NAME)
        told_ns = _bounds_ns(self._clock)[0]
        fresh = open_trust(payload, root, now_ns=told_ns or None, version_min=self._whole.version)
        if fresh.site != self._site:
            raise Refused(f"a trust table of {fresh.site}", reason="wrong-site")
        if fresh.version == self._whole.version:
            if _content(fresh) != _content(self._whole):
                raise Refused(f"another table with version {fresh.version}", reason="equivocation")
            return False  # the broker gives it again at every link
        try:
            write_atomically(self._folder / FILE_NAME, payload)
        except OSError as error:
            raise Refused(f"cannot be kept: {error.strerror}", reason="state") from error
        self._adopt(fresh)
        return True

    def _adopt(self, fresh: Trust) -> None:
        if fresh.version > self._floor():
            with contextlib.suppress(OSError):  # the table itself is durable; the next minute tries again
                write_atomically(self._folder / FLOOR_NAME, json.dumps({"version": fresh.version}).encode())
        self._whole = fresh
        self.look()

    def _floor(self) -> int:
        """The newest version that was ever in use; a file that is none says nothing: the table is signed anyhow."""
        try:
            version = json.loads(read_regular(self._folder / FLOOR_NAME, _BYTES_MAX)[0])["version"]
        except Exception:  # noqa: BLE001 - a hint beside a signed file must never keep a tap from reporting
            return 0
        return version if type(version) is int else 0


def _bounds_ns(clock: Clock) -> tuple[int, int]:
    """The earliest that it can be, because somebody signed it, and the latest, when something keeps the clock right."""
    state, error_ns = clock.state()
    sure = state in {"synced", "holdover"} and error_ns >= 0
    return getattr(clock, "told_ns", 0), clock.wall_ns() + error_ns if sure else I64_MAX


def _content(table: Trust) -> tuple[object, ...]:
    return table.entries(), table.not_after_ns, table.site
