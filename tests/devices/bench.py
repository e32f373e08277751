"""A device table and a flow cache over forged frames, driven slice by slice as the sensor drives them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.devices import trying
from agent.devices.records import DeviceFlag, EdgeDirection, Rows
from agent.devices.table import DeviceLimits, DeviceTable
from agent.devices.view import Ward
from agent.flows.cache import FlowCache, FlowLimits
from agent.service.limits import SCAN_TEST
from tests.flows.talks import START_S, Talk
from tests.forge import arp
from tests.forge.octets import mac as mac_octets
from tests.forge.pcap import Frame
from tests.simulators.bursts import SECRET, rows_of

S = 1_000_000_000
OUT, IN = EdgeDirection.ORIGINATES, EdgeDirection.RESPONDS
GATEWAY = ("10.1.0.254", "00:1b:54:00:00:01")


def number(text: str) -> int:
    """A MAC address as the tables hold it."""
    return int.from_bytes(mac_octets(text))


def small(
    devices: int = 256,
    edges: int = 4096,
    fans: int = 256,
    sites: Sequence[str] = (),
    test: tuple[float, ...] = SCAN_TEST,
) -> DeviceLimits:
    """Limits of a small table."""
    assert len(test) == trying.TEST
    return DeviceLimits(devices, edges, fans, tuple(sites), test)


@dataclass
class Bench:
    """The two tables; `hear` takes frames in order of time."""

    limits: DeviceLimits = field(default_factory=small)
    cache: FlowCache = field(default_factory=lambda: FlowCache(FlowLimits(slots_max=8192), SECRET))

    def __post_init__(self) -> None:
        self.table = DeviceTable(self.limits, SECRET)

    def hear(self, frames: Iterable[Frame], *, link: int = 1) -> "Bench":
        """Seconds of frames; what is due ends before each second's frames."""
        rows = rows_of(frames, link)
        seconds = np.maximum.accumulate(rows["time_ns"]) // S
        starts = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist()]
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
            part = rows[start:stop]
            self.pass_time(int(seconds[start]))
            self.table.attribute(part, len(part))
            for events in self.cache.meter(part, len(part)):
                self.table.relate(events)
            assert self.table.conserved()
        return self

    def pass_time(self, second: int, *, forced: bool = False) -> None:
        """What is due by then ends."""
        for events in self.cache.expire(second, forced=forced):
            self.table.relate(events)

    def wait(self, seconds: float) -> "Bench":
        """Let so many seconds after the start go by."""
        self.pass_time(START_S + int(seconds))
        return self

    def slot(self, mac: str) -> int:
        """The slot of a device, -1 when it has none."""
        found = np.flatnonzero(self.table._macs == number(mac))
        return int(found[0]) if len(found) else -1

    def device(self, mac: str) -> np.void:
        """Its row."""
        slot = self.slot(mac)
        assert slot >= 0, f"{mac} has no slot"
        row: np.void = self.table.devices[slot]
        return row

    def edges(self, mac: str, direction: int | None = None) -> Rows:
        """Its edges."""
        edges = self.table.edges[self.table.edges["protocol"] != 0]
        edges = edges[edges["device"] == self.slot(mac)]
        return edges if direction is None else edges[edges["direction"] == direction]

    def promoted(self, mac: str) -> bool:
        """Whether it is called a device."""
        return bool(self.device(mac)["flags"] & DeviceFlag.PROMOTED)


def hello(end: tuple[str, str], at_s: float = 0) -> Frame:
    """An ARP announcement: the device claims its address."""
    return Frame(round((START_S + at_s) * S), arp.gratuitous((end[1], end[0])))


def session(
    ends: tuple[tuple[str, str], tuple[str, str]], at_s: float = 0, ports: tuple[int, int] = (50000, 3613)
) -> list[Frame]:
    """A whole TCP session with two payloads each way."""
    talk = Talk(ends, ports)
    talk.handshake(at_s)
    for _ in range(2):
        talk.tcp(at_s, 24, b"question")
        talk.tcp(at_s, 24, b"answer", back=True)
    talk.tcp(at_s, 17)
    talk.tcp(at_s, 17, back=True)
    return talk.frames


def tries(
    first: tuple[str, str],
    targets: Iterable[tuple[tuple[str, str], int]],
    *,
    refused: bool,
    step_s: float = 0.01,
    at_s: float = 1,
) -> list[Frame]:
    """A SYN to each target and port; a reset from each when refused."""
    frames: list[Frame] = []
    for target, port in targets:
        talk = Talk((first, target), (40000, port), frames=frames)
        talk.tcp(at_s, 2)
        if refused:
            talk.tcp(at_s, 20, back=True)
        at_s += step_s
    return frames


def turn(bench: Bench, ward: Ward) -> None:
    """What the pipeline does each second."""
    promoted = bench.table.take_promoted()
    bench.table.disown(promoted)
    ward.promote(promoted)
    ward.hear_edges(bench.table.take_edges())
    ward.refresh()
