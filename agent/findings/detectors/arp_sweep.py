"""arp-sweep: a device asks by ARP for many different addresses. Broadcasts are heard wherever the tap is."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import FanKind
from agent.findings.case import Case, Told, severity_of
from agent.findings.catalogue import NETWORK_GEAR
from agent.findings.draft import Draft, Subject
from agent.findings.thresholds import FAN_ARP_GATEWAY_MIN, FAN_ARP_MIN
from agent.findings.words import mac_text, time_text, within_text

ARP_PROTOCOL: Final = 0x0806  # the subject's protocol: an Ethernet type, which no IP protocol number can be
FANS_A_TURN_MAX: Final = 64
EXPECTED: Final = "Devices on a ward ask for their gateway and the few stations they talk to."


def arp_sweeps(case: Case) -> Iterator[Draft]:
    """A router asks for every address somebody outside wants, so it needs far more of them."""
    fans = case.turn.fans
    if fans.shape[0] == 0:
        return
    chosen = fans[(fans["kind"] == FanKind.ARP) & (fans["device"] < case.roles.shape[0])]
    order = np.lexsort((chosen["device"], chosen["attempts"], chosen["first_ns"]))
    for row in chosen[order][:FANS_A_TURN_MAX]:
        slot = int(row["device"])
        routes = case.turn.devices.is_gateway(slot) or case.turn.devices.role(slot) == NETWORK_GEAR
        if int(row["attempts"]) >= (FAN_ARP_GATEWAY_MIN if routes else FAN_ARP_MIN):
            yield _draft(case, row, slot)


def _draft(case: Case, row: np.void, slot: int) -> Draft:
    mac, tried = case.turn.devices.mac(slot), int(row["attempts"])
    told = Told(
        text=f"{case.label(slot)} asked by ARP for {tried} different addresses "
        f"{within_text(int(row['first_ns']), int(row['last_ns']))}",
        evidence=(
            ("asked-for", tried),
            ("answered", int(row["answered"])),
            ("first", time_text(int(row["first_ns"]))),
            ("last", time_text(int(row["last_ns"]))),
        ),
        cause=f"arp-sweep|{mac_text(mac)}",
        first_ns=int(row["first_ns"]),
        last_ns=int(row["last_ns"]),
        expected=case.contracts.expected(case.role(slot)) or EXPECTED,
    )
    finding = case.finding("arp-sweep", severity_of(case.role(slot)), slot, told)
    return Draft(finding, Subject(mac, 0, "", ARP_PROTOCOL, 0), part_of=(case.sweeps.get(mac, ""),))
