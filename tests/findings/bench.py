"""A bench for the judge: devices that are what the test says, and EDGE and FAN rows made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.devices.baseline import Baseline
from agent.devices.records import (
    EDGE,
    FAN,
    NO_SLOT,
    EdgeDirection,
    EdgeGate,
    FanKind,
    Posture,
    Remark,
    Scope,
    Sighting,
)
from agent.devices.roles import ROLES, TIERS
from agent.findings.case import Case
from agent.findings.contracts import ContractSet, shipped_folder
from agent.findings.engine import Engine
from agent.findings.name_lists import load_lists
from agent.findings.records import Finding, Rows, Turn
from agent.findings.settings import JudgeSettings

NOTHING = Posture()
START_NS = 1_793_606_400 * 10**9
S = 10**9
HOUR = 3600 * S
OUT, IN = EdgeDirection.ORIGINATES, EdgeDirection.RESPONDS
SESSION = EdgeGate.HANDSHAKE | EdgeGate.INITIATOR_KNOWN | EdgeGate.ANSWERED
TALK = SESSION | EdgeGate.EXCHANGED | EdgeGate.TWO_WAY_DATA
DATAGRAMS = EdgeGate.EXCHANGED | EdgeGate.TWO_WAY_DATA | EdgeGate.INITIATOR_KNOWN | EdgeGate.ANSWERED
CONTRACTS = ContractSet.load(shipped_folder(), ROLES, TIERS)
LISTS = load_lists()
NO_EDGES = np.zeros(0, EDGE)


@dataclass
class Device:
    """One slot."""

    role: str
    mac: int
    confidence: float = 0.9
    gateway: bool = False
    first_ns: int = START_NS
    label: str = ""
    last_ns: int = 0  # 0: it is heard all the time
    claims: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    smb1: bool = False
    posture: Posture = NOTHING
    hobby_board: bool = False


@dataclass
class Bench:
    """A table of devices (a DeviceView), a clock, and the engine that judges them."""

    devices: list[Device] = field(default_factory=list)
    settings: JudgeSettings = field(default_factory=JudgeSettings)
    now_ns: int = START_NS

    def __post_init__(self) -> None:
        self.baseline = Baseline(ROLES)
        self._arps = 0
        self.engine = Engine(CONTRACTS, self.settings, self.baseline, LISTS)

    def add(self, role: str, mac: int = 0, **more: object) -> int:
        """A device; returns its slot."""
        mac = mac or 0x00D07518_0000 + len(self.devices)
        self.devices.append(Device(role, mac, **more))  # type: ignore[arg-type]
        return len(self.devices) - 1

    def comes(self, role: str = "unknown") -> int:
        """A device that comes after the tap has settled, a turn ago."""
        slot = self.add(role)
        self.judge(new_devices=np.array([slot], np.uint32))
        return slot

    def mac(self, slot: int) -> int:
        return self.devices[slot].mac

    def role(self, slot: int) -> str:
        return self.devices[slot].role

    def confidence(self, slot: int) -> float:
        return self.devices[slot].confidence

    def is_gateway(self, slot: int) -> bool:
        return self.devices[slot].gateway

    def first_ns(self, slot: int) -> int:
        return self.devices[slot].first_ns

    def lasts_ns(self) -> npt.NDArray[np.int64]:
        return np.array([d.last_ns or self.now_ns for d in self.devices], dtype=np.int64)

    def confidences(self) -> npt.NDArray[np.float64]:
        return np.array([d.confidence for d in self.devices], dtype=np.float64)

    def gateways(self) -> npt.NDArray[np.bool_]:
        return np.array([d.gateway for d in self.devices], dtype=np.bool_)

    def macs(self) -> npt.NDArray[np.uint64]:
        return np.array([d.mac for d in self.devices], dtype=np.uint64)

    def claims(self) -> npt.NDArray[np.uint64]:
        rows = [[int(ip_address(a)) for a in (*d.claims, *["0.0.0.0"] * 4)[:4]] for d in self.devices]
        return np.array(rows, dtype=np.uint64).reshape(-1, 4)

    def speaks_smb1(self, slot: int) -> bool:
        return self.devices[slot].smb1

    def posture(self, slot: int) -> Posture:
        return self.devices[slot].posture

    def hobby_boards(self) -> npt.NDArray[np.bool_]:
        return np.array([d.hobby_board for d in self.devices], dtype=np.bool_)

    def contradictions(self, slot: int) -> tuple[str, ...]:
        return self.devices[slot].contradictions

    def arps(self) -> int:
        self._arps += 1
        return self._arps

    def roles(self) -> npt.NDArray[np.int16]:
        return np.array([ROLES.index(d.role) for d in self.devices], dtype=np.int16)

    def label(self, slot: int) -> str:
        device = self.devices[slot]
        mac = ":".join(f"{device.mac:012x}"[i : i + 2] for i in range(0, 12, 2))
        role = "device" if device.role == "unknown" else device.role.replace("-", " ")
        return device.label or f"{role} {mac} (Maker)"

    def judge(
        self, edges: Sequence[Rows] = (), fans: Sequence[Rows] = (), after_ns: int = S, **more: Any
    ) -> list[Finding]:
        """One turn, `after_ns` later."""
        self.now_ns += after_ns
        turn = self.turn(np.concatenate([np.zeros(0, EDGE), *edges]), np.concatenate([np.zeros(0, FAN), *fans]))
        return self.engine.judge(turn._replace(**more))

    def interval(self, counted: Sequence[Rows] = (), after_ns: int = 60 * S, **more: Any) -> list[Finding]:
        """A turn that closes an interval with these edges in it; the link is alive."""
        rows = np.concatenate([np.zeros(0, EDGE), *counted])
        more = {"frames": 1000, "span_ns": after_ns} | more
        return self.judge([], [], after_ns, interval_closed=True, counted=rows, **more)

    def remark(self, source: int, destination: int, *words: tuple[str, str]) -> Remark:
        """What one device said to another one, now."""
        return Remark(self.now_ns, self.mac(source), self.mac(destination), words)

    def case(self, *edges: Rows, **more: Any) -> Case:
        """A turn now with these edges, as the detectors see it."""
        rows = np.concatenate([np.zeros(0, EDGE), *edges])
        return Case(self.turn(rows)._replace(**more), CONTRACTS, self.settings, rows, self.roles(), self.baseline)

    def turn(self, edges: Rows, fans: Rows | None = None) -> Turn:
        """A turn now: nothing new, no loss, settled."""
        return Turn(
            now_ns=self.now_ns,
            devices=self,
            edges=edges,
            fans=np.zeros(0, FAN) if fans is None else fans,
            new_devices=np.zeros(0, np.uint32),
            interval_closed=False,
            frames=0,
            dropped=0,
            lossy=False,
            settled=True,
        )

    def edge(self, device: int, peer: str | int, port: int, **fields: int) -> Rows:
        """One edge; `peer` is an address, or the slot of a device. TCP, out, with data both ways, unless said."""
        row = np.zeros(1, EDGE)
        address = f"10.20.{30 + (peer + 100) // 256}.{(peer + 100) % 256}" if isinstance(peer, int) else peer
        gates = fields.setdefault("gates", TALK)
        row["peer_hi"], row["peer_lo"] = split(address)
        row["device"], row["port"], row["protocol"], row["direction"] = device, port, 6, OUT
        row["peer_device"] = peer if isinstance(peer, int) else NO_SLOT
        row["flows"], row["answered"] = 1, 1 if gates & EdgeGate.ANSWERED else 0
        row["failed"] = 1 if gates & EdgeGate.REFUSED else 0
        row["packets_out"], row["packets_in"], row["octets_out"], row["octets_in"] = 8, 6, 900, 700
        row["first_ns"], row["last_ns"], row["scope"] = self.now_ns, self.now_ns + S // 2, scope_of(address)
        for name, value in fields.items():
            row[name] = value
        return row

    def sighting(self, kind: str, word: str, source: int, destination: int = -1, **fields: object) -> Sighting:
        """A fact of a payload between two devices by slot (-1: to nobody of ours), as heard now."""
        ends = [self.mac(slot) if slot >= 0 else 0xFFFF_FFFF_FFFF for slot in (source, destination)]
        addresses = {name: number(fields.pop(name)) for name in ("sender", "receiver", "address") if name in fields}  # type: ignore[arg-type]
        return Sighting(self.now_ns, kind, word, *ends, **addresses)._replace(**fields)  # type: ignore[arg-type]

    def fan(self, device: int, kind: FanKind, tried: int, **more: object) -> Rows:
        """One fan that crossed its threshold."""
        row = np.zeros(1, FAN)
        row["device"], row["kind"], row["attempts"], row["failed"] = device, kind, tried, tried
        row["first_ns"], row["last_ns"], row["used"], row["reported"] = self.now_ns - 9 * S, self.now_ns, 1, 1
        row["score"], row["protocol"] = 14.0, 0 if kind == FanKind.ARP else 6
        for name, value in more.items():
            row[name] = value
        return row

    def sweep(self, device: int, port: int = 445, tried: int = 14, **more: object) -> Rows:
        """One service on many hosts."""
        return self.fan(device, FanKind.HOSTS, tried, port=port, **more)


def split(address: str) -> tuple[int, int]:
    """Upper and lower half, IPv4 mapped."""
    value = ip_address(address)
    number = int(value) if value.version == 6 else 0xFFFF << 32 | int(value)
    return number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF


def number(address: str) -> int:
    """An address as 128 bits, IPv4 mapped."""
    hi, lo = split(address)
    return hi << 64 | lo


def scope_of(address: str) -> int:
    """Where an address of these tests lies: the ward is 10.20.30.0/24, other 10/8 the site, anything else public."""
    if address == "255.255.255.255":
        return Scope.BROADCAST
    if ip_address(address).is_multicast:
        return Scope.MULTICAST
    if address.startswith(("10.20.30.", "10.20.31.")):
        return Scope.SEGMENT
    return Scope.SITE if address.startswith("10.") else Scope.INTERNET


def ids(findings: list[Finding]) -> list[str]:
    """Just the ids."""
    return [f.id for f in findings]
