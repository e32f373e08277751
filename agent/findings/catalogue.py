"""The catalogue: stable ids, what a finding of each kind means and the next safe step. Texts in docs/findings.md.

A next step never touches a device a patient may depend on: nobody is told to contact, scan or restart it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.findings.records import Severity

# Roles a page may rest on (docs/findings.md): a patient is worse off within the hour when one of them is disturbed.
CLINICAL_ROLES: Final = frozenset({
    "infusion-pump", "pump-gateway", "patient-monitor", "central-station", "ventilator", "anaesthesia",
    "imaging-modality", "pacs", "lab-analyser", "dispensing-cabinet",
})  # fmt: skip
# Findings about the tap itself: no technique of an attacker, and what another tap says is another cause.
OF_THE_TAP: Final = frozenset({"capture-loss", "table-pressure", "tap-blind", "tap-transmitted"})
UNKNOWN: Final = "unknown"
NETWORK_GEAR: Final = "network-gear"

_BLOCK: Final = (
    "Ask biomedical engineering whether this was planned; if not, have the network team block this one connection "
    "and leave the device in use."
)
_FIND: Final = (
    "Find its switch port and ask whose device it is; with the ward's agreement move it to a quarantine network, "
    "and do not scan back."
)


class Entry(NamedTuple):
    """What the catalogue says about one id."""

    severity: Severity  # the most severe it can be
    meaning: str
    next_step: str


CATALOGUE: Final[dict[str, Entry]] = {
    "contract-breach": Entry(Severity.PAGE, "a device does what its role's contract forbids or does not know", _BLOCK),
    "internet-contact": Entry(
        Severity.PAGE,
        "a device exchanges data with a public address its contract does not name",
        "Have the network team block this public address for this device at the firewall, leave the device in use, and "
        "ask biomedical engineering to look at it once no patient needs it.",
    ),
    "new-edge": Entry(
        Severity.REVIEW,
        "a device does what no device of its role did while the tap learned",
        "Ask whoever looks after the device whether this was planned; approve it for the device or its role if it was, "
        "else have the network team look at the peer.",
    ),
    "heartbeat-lost": Entry(
        Severity.PAGE,
        "a clinical device has stopped sending what it sends again and again",
        "Go and look at the patient and at the device's own display first, then tell biomedical engineering; leave the "
        "device and its cables as they are until they have looked.",
    ),
    "crash-after-contact": Entry(
        Severity.PAGE,
        "a clinical device fell silent after an odd contact",
        "Go and look at the patient and at the device's own display first; have the network team block the one that "
        "contacted it, and tell biomedical engineering before anything is switched.",
    ),
    "reboot-loop": Entry(
        Severity.REVIEW,
        "a device starts again and again",
        "Ask the ward whether the device works; if it does not, have biomedical engineering take it out of use.",
    ),
    "port-scan": Entry(Severity.PAGE, "a device tries many ports of one host", _FIND),
    "host-sweep": Entry(Severity.PAGE, "a device tries one service on many hosts", _FIND),
    "arp-sweep": Entry(Severity.PAGE, "a device asks by ARP for many addresses", _FIND),
    "smb-spread": Entry(
        Severity.PAGE,
        "a device tries Windows file sharing on many hosts, as worms do",
        "Have the network team block TCP port 445 between this device and everything else at once, find who uses it, "
        "and leave it powered on.",
    ),
    "telnet-spread": Entry(
        Severity.PAGE,
        "a device tries Telnet on many hosts, as botnets of small devices do",
        "Have the network team block TCP ports 23 and 2323 from this device at once, and find who uses it.",
    ),
    "new-device": Entry(
        Severity.REVIEW,
        "a device that was not there when this tap started",
        "Ask the ward whether it was brought in on purpose and label it; otherwise find its switch port.",
    ),
    "capture-loss": Entry(
        Severity.HEALTH,
        "the tap could not look at every frame",
        "Compare the load of the link with what this tap is rated for; until then read its silence with care.",
    ),
    "table-pressure": Entry(
        Severity.HEALTH,
        "more flows, contacts or devices at once than the tap's fixed tables hold",
        "Look for a flood or a scan at that time, first at the device that is named; if nothing floods, the ward is "
        "larger than this tap's tables and they have to be set larger.",
    ),
    "tap-blind": Entry(
        Severity.HEALTH,
        "a leg of the tap hears nothing, or will not after a restart",
        "Look at the leg's cable and at the tap's monitor port, and leave the ward's own cables alone; until the leg "
        "hears again this tap cannot tell what happens there.",
    ),
    "tap-transmitted": Entry(
        Severity.PAGE,
        "the tap itself has sent frames on a leg",
        "Pull this leg's cable out of the appliance - the ward's traffic does not pass through it - and find what uses "
        "the interface before it goes back.",
    ),
}


def role_mask(roles: Sequence[str], wanted: frozenset[str]) -> npt.NDArray[np.bool_]:
    """For each role index whether the role is one of these."""
    return np.array([role in wanted for role in roles], dtype=np.bool_)
