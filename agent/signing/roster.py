"""Who is trusted: the trust table while it is in use. Its file is `signing.trust`'s."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import Refused
from agent.signing.keys import ALGORITHM, PublicKey
from agent.wire.schema import I64_MAX
from agent.wire.topics import valid_id
from agent.wire.types import Role


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One key. `name` is the agent id for an agent, else a person's or machine's short name; ns since 1970."""

    key_id: bytes
    public: PublicKey
    role: Role
    name: str
    site: str
    algorithm: str = ALGORITHM
    not_before_ns: int = 0
    not_after_ns: int = I64_MAX

    @classmethod
    def for_key(cls, public: PublicKey, role: Role | str, name: str, site: str) -> "TrustEntry":
        """An entry without an end, for tests and new tables; narrow it with `dataclasses.replace`."""
        return cls(public.key_id, public, Role(role), name, site)

    def valid_at(self, now_ns: int) -> bool:
        """Whether `now_ns` lies in its validity, both ends included."""
        return self.not_before_ns <= now_ns <= self.not_after_ns

    def to_list(self) -> list[Any]:
        """In the order of `wire.authority.TRUST_ENTRY`."""
        return [
            self.key_id,
            self.public.raw,
            str(self.role),
            self.name,
            self.site,
            self.algorithm,
            self.not_before_ns,
            self.not_after_ns,
        ]

    @classmethod
    def from_list(cls, places: Sequence[Any]) -> "TrustEntry":
        """From a checked list; Refused `bad-key` when the key is no good point or the id is not its own."""
        identity, raw, role, name, site, algorithm, not_before_ns, not_after_ns = places
        public = PublicKey.from_bytes(raw)
        if identity != public.key_id:
            raise Refused(f"the key id of {name} is not that of its key", reason="bad-key")
        return cls(identity, public, Role(role), name, site, algorithm, not_before_ns, not_after_ns)


class Trust:
    """A table in use: looked up by key id."""

    def __init__(
        self, entries: Iterable[TrustEntry], *, version: int = 0, site: str = "", not_after_ns: int = I64_MAX
    ) -> None:
        """Refused `bad-trust` when a key is there twice or a name is no id: one key never stands for two."""
        self.version, self.site, self.not_after_ns = version, site, not_after_ns
        self._entries: dict[bytes, TrustEntry] = {}
        for entry in entries:
            if not valid_id(entry.name) or not valid_id(entry.site):
                raise Refused(f"{entry.name!r} of {entry.site!r} is no name", reason="bad-trust")
            if entry.key_id in self._entries:
                raise Refused(f"the key of {entry.name} is in the table twice", reason="bad-trust")
            self._entries[entry.key_id] = entry

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, identity: bytes) -> TrustEntry | None:
        """The entry of a key id."""
        return self._entries.get(identity)

    def entries(self) -> tuple[TrustEntry, ...]:
        """All, in the table's order."""
        return tuple(self._entries.values())

    def current(self, earliest_ns: int, latest_ns: int = I64_MAX) -> "Trust":
        """Without the keys that ended before the earliest that it can be now, or begin after the latest."""
        left = [
            entry
            for entry in self._entries.values()
            if entry.not_after_ns >= earliest_ns and entry.not_before_ns <= latest_ns
        ]
        return Trust(left, version=self.version, site=self.site, not_after_ns=self.not_after_ns)

    def by_role(self, role: Role | str) -> tuple[TrustEntry, ...]:
        """Those of one role."""
        return tuple(entry for entry in self._entries.values() if entry.role == role)

    def agents(self) -> tuple[TrustEntry, ...]:
        """The taps."""
        return self.by_role(Role.AGENT)
