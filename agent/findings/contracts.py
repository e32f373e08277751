"""What each role does and must never do: read from `<role>.toml`, checked, and asked for many edges at once.

`common.toml` holds what every device may do (DHCP, DNS, NTP, names, errors); each contract adds its own lines. A
*never* wins over anything that is allowed, and must rest on a verified fact. The format is described in
docs/findings.md.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

import numpy as np

from agent.errors import ConfigError
from agent.findings.attack import AttackMap, parse_attack
from agent.findings.catalogue import CLINICAL_ROLES, role_mask
from agent.findings.contract_file import Contract, Line, nearest, parse_contract
from agent.findings.contract_table import Table, compile_table
from agent.findings.known_bad_file import KnownBad, parse_known_bad
from agent.findings.records import Roles
from agent.findings.words import many, protocol_text
from agent.kept_toml import Parse, parse_toml

FILE_MAX_BYTES: Final = 64 * 1024
FILES_MAX: Final = 64
COMMON: Final = "common"
ATTACK: Final = "attack"
KNOWN_BAD: Final = "known-bad"
EXPECTED_MAX: Final = 400  # characters of what a role normally does
PORTS_SHOWN: Final = 4  # of a line, in what a role normally does
PORT_SPAN_SHOWN: Final = 100  # a range longer than this says nothing to a reader


def shipped_folder() -> Path:
    """The contracts of this release."""
    return Path(__file__).resolve().parents[2] / "firmware_config" / "contracts"


class ContractSet:
    """All contracts of a site, compiled. Role indices are those of the tuple it was made with."""

    def __init__(
        self,
        contracts: Sequence[Contract],
        common: Sequence[Line],
        attack: AttackMap,
        roles: Mapping[str, str],
        version: str,
        known_bad: tuple[KnownBad, ...] = (),
    ) -> None:
        """Compile; `roles` in the order of the role index, with the tier of each."""
        self.version: Final = version
        self.known_bad: Final = known_bad
        self.attack: Final = attack
        self.roles: Final = tuple(roles)
        self.common: Final = tuple(common)
        self._tiers: Final = {**roles, **{contract.role: contract.tier for contract in contracts}}
        self._by_role: Final = {contract.role: contract for contract in contracts}
        self.table: Final[Table] = compile_table(contracts, common, self.roles, known_bad)
        self.clinical: Final = role_mask(self.roles, CLINICAL_ROLES)  # by role index
        self._expected: Final = {c.role: _expected(c, common) for c in contracts}

    @classmethod
    def load(
        cls, folder: Path, roles: Sequence[str], tiers: Mapping[str, str] | None = None, parse: Parse = parse_toml
    ) -> "ContractSet":
        """Read every `*.toml` of a folder. Raises ConfigError with file, line and key.

        `roles` in the order of the role index; `tiers` says how vital those are that have no contract; `parse` may
        remember.
        """
        texts = dict(_texts(folder))
        known = [*roles, COMMON, ATTACK, KNOWN_BAD]
        by_index = {role: (tiers or {}).get(role, "none") for role in roles}
        for name in texts:
            if name not in known:
                raise ConfigError(
                    f"{name!r} is not a role", where=str(folder / f"{name}.toml"), todo=nearest(name, known)
                )
        if ATTACK not in texts:
            raise ConfigError("the technique map is missing", where=str(folder / "attack.toml"))
        common = parse_contract(texts[COMMON], COMMON, roles, parse).does if COMMON in texts else ()
        own = {name: text for name, text in texts.items() if name not in (COMMON, ATTACK, KNOWN_BAD)}
        contracts = [parse_contract(text, name, roles, parse) for name, text in own.items()]
        if not contracts:
            raise ConfigError("no contract in this folder", where=str(folder))
        bad = parse_known_bad(texts[KNOWN_BAD], parse) if KNOWN_BAD in texts else ()
        return cls(contracts, common, parse_attack(texts[ATTACK], parse), by_index, _version(texts), bad)

    def contract(self, role: str) -> Contract | None:
        """The contract of a role, or None: then nothing is expected of it."""
        return self._by_role.get(role)

    def revision(self, role: str) -> int:
        """Of a role's contract; 0 without one."""
        contract = self._by_role.get(role)
        return contract.revision if contract else 0

    def tier(self, role: str) -> str:
        """How vital the role is; `none` when nobody said."""
        return self._tiers.get(role, "none")

    def expected(self, role: str) -> str:
        """What devices of the role normally do, one sentence; empty without a contract."""
        return self._expected.get(role, "")

    def depends_on_peer(self, edge: np.void, roles: Roles) -> bool:
        """For an edge outside a contract: whether a right role of the peer, which has none yet, would allow it."""
        return self.table.might_be_allowed(edge, roles)

    def never(self, code: int) -> Line:
        """The *never* behind a negative code."""
        return self.table.lines[-code - 1]

    def excused(self, role: str, edge: np.void) -> bool:
        """Whether a line with `networks` allows this public peer: a vendor's service, say."""
        contract = self._by_role.get(role)
        if contract is None:
            return False
        value = IPv6Address((int(edge["peer_hi"]) << 64) | int(edge["peer_lo"]))
        address = value.ipv4_mapped or value
        return any(
            line.speaks(int(edge["protocol"]), int(edge["port"]), int(edge["direction"]))
            and any(address.version == net.version and address in net for net in line.networks)
            for line in contract.does
            if line.networks
        )


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each contract file, in the order of their names."""
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix == ".toml")
        if len(paths) > FILES_MAX:
            raise ConfigError(f"more than {FILES_MAX} contracts", where=str(folder))
        for path in paths:
            data = path.read_bytes()[: FILE_MAX_BYTES + 1]
            if len(data) > FILE_MAX_BYTES:
                raise ConfigError(f"longer than {FILE_MAX_BYTES} octets", where=str(path))
            yield path.stem, data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(folder)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", where=str(folder)) from error


def _version(texts: Mapping[str, str]) -> str:
    """A short name of exactly these contracts: the first 12 hex digits of the SHA-256 over names and texts."""
    digest = hashlib.sha256()
    for name, text in texts.items():
        digest.update(f"{name}\0{len(text.encode())}\0{text}".encode())
    return digest.hexdigest()[:12]


def _expected(contract: Contract, common: Sequence[Line]) -> str:
    """What a role normally does: `Infusion pumps normally: report to the pump server on TCP 3613; ...`."""
    parts = [line.what + _ports_text(line) for line in contract.does]
    if contract.common and common:
        parts.append("the usual network services (addresses, names, time)")
    text = many(contract.role)[:1].upper() + many(contract.role)[1:] + " normally: "
    for index, part in enumerate(parts):
        if len(text) + len(part) > EXPECTED_MAX - 24:
            return f"{text}and {len(parts) - index} more."
        text += part + ("; " if index + 1 < len(parts) else ".")
    return text


def _ports_text(line: Line) -> str:
    """` on TCP 104, 2104, 2761 ...`; nothing when the line is about more than a few ports."""
    if not line.ports or any(high - low > PORT_SPAN_SHOWN for low, high in line.ports):
        return ""
    shown = [str(low) if low == high else f"{low}-{high}" for low, high in line.ports[:PORTS_SHOWN]]
    more = " ..." if len(line.ports) > PORTS_SHOWN else ""
    return f" on {'/'.join(protocol_text(p).upper() for p in line.protocols)} {', '.join(shown)}{more}"
