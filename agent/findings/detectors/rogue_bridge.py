"""rogue-bridge: something is plugged in between or brought along: a bridge, a hobby board, two devices behind a card.

A switch of the ward is heard while the tap settles; later a device that speaks as switches do came with somebody.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from agent.devices.records import Sighting
from agent.findings.case import Case, Told
from agent.findings.catalogue import NETWORK_GEAR
from agent.findings.detectors.arp_bindings import is_virtual
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Severity
from agent.findings.words import mac_text, time_text

STACKS: Final = ("tcp.syn", "tcp.syn-ack")
# What a device says that forwards frames: (kind, words).
BRIDGES: Final = {
    "stp.says": ("spanning tree", frozenset({"root", "bridge"})),
    "lldp.capabilities": ("LLDP", frozenset({"bridge", "repeater", "access-point", "router"})),
    "cdp.capabilities": ("CDP", frozenset({"bridge", "source-bridge", "switch", "router"})),
}
TELEPHONE: Final = "telephone"  # a desk telephone has a second port and says so
DEVICES_MAX: Final = 4096
TOLD_MAX: Final = 1024
SAID_MAX: Final = 32  # of hobby boards in an interval; the others' turn comes with the next
TOGETHER: Final = 3  # hobby boards in an hour: one cause
EXPECTED: Final = "One device behind one port, and the ward's switches are those that were there before."


class _Stack(NamedTuple):
    """A TCP stack that was heard behind a card."""

    address: int
    left: str  # time to live at its start: of another family of systems when it differs


class RogueBridges:
    """Remembers who spoke as a switch while the tap settled, and the first stack behind each card."""

    def __init__(self) -> None:
        self._switches: OrderedDict[int, None] = OrderedDict()
        self._stacks: OrderedDict[int, _Stack] = OrderedDict()
        self._told: dict[int, None] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """Each device once, by the first sign."""
        yield from self._speakers(case)
        yield from self._several(case)
        if case.turn.interval_closed:
            yield from self._boards(case)
        for kept, most in ((self._switches, DEVICES_MAX), (self._stacks, DEVICES_MAX), (self._told, TOLD_MAX)):
            while len(kept) > most:
                del kept[next(iter(kept))]

    def _speakers(self, case: Case) -> Iterator[Draft]:
        said = case.sighted(*BRIDGES)
        phones = {sighting.source for sighting in said if sighting.word == TELEPHONE}
        for sighting in said:
            name, words = BRIDGES[sighting.kind]
            if sighting.word not in words or sighting.source in phones or sighting.source in self._switches:
                continue
            declared = case.settings.in_change_window(NETWORK_GEAR, case.turn.now_ns)
            if not case.turn.settled or declared:
                self._switches[sighting.source] = None
                continue
            text = f"says by {name} that it forwards for others, which it did not while the tap settled"
            yield from self._draft(case, sighting.source, (f"{name} {sighting.word}", text), sighting.time_ns)

    def _several(self, case: Case) -> Iterator[Draft]:
        """Two addresses with two families of stacks; a router's own packets and those it passes on differ by a hop."""
        for sighting in case.sighted(*STACKS):
            if sighting.sender >> 32 != 0xFFFF:
                continue  # one system starts its IPv6 packets elsewhere than its IPv4 packets
            stack = _Stack(sighting.sender, sighting.word.partition(":")[0])
            known = self._stacks.setdefault(sighting.source, stack)
            if known.address == stack.address or known.left == stack.left or not _is_one_host(case, sighting):
                continue
            text = "sends for two addresses with the network programs of two systems: another device is behind it"
            signs = (f"starts at {int(known.left)} and {int(stack.left)} hops", text)
            yield from self._draft(case, sighting.source, signs, sighting.time_ns)

    def _boards(self, case: Case) -> Iterator[Draft]:
        boards = case.turn.devices.hobby_boards()[: case.roles.shape[0]]
        said = 0
        for slot in np.flatnonzero(boards).tolist():
            mac = case.turn.devices.mac(slot)
            if mac not in self._told and said < SAID_MAX:
                said += 1
                text = "is a hobby board, which nobody uses for care: it can listen, bridge and reach out"
                yield from self._draft(case, mac, ("hobby board", text), case.turn.devices.first_ns(slot))

    def _draft(self, case: Case, mac: int, sign: tuple[str, str], time_ns: int) -> Iterator[Draft]:
        slot = case.slot_of(mac)
        if slot is None or mac in self._told:
            return
        self._told[mac] = None
        told = Told(
            text=f"{case.label(slot)} {sign[1]}",
            evidence=(("sign", sign[0]), ("first", time_text(time_ns))),
            cause=f"rogue-bridge|{mac_text(mac)}",
            first_ns=min(time_ns, case.turn.now_ns),
            last_ns=case.turn.now_ns,
            expected=EXPECTED,
        )
        finding = case.finding("rogue-bridge", Severity.REVIEW, slot, told)
        yield Draft(finding, Subject(mac), (Group("rogue-bridge", mac_text(mac), TOGETHER, "{n} such devices"),))


def _is_one_host(case: Case, sighting: Sighting) -> bool:
    """Whether a card should have one stack: not a router's, not one that several share."""
    slot = case.slot_of(sighting.source)
    if slot is None or is_virtual(sighting.source) or not sighting.word.partition(":")[0].isdecimal():
        return False
    return not case.turn.devices.is_gateway(slot) and case.turn.devices.role(slot) != NETWORK_GEAR
