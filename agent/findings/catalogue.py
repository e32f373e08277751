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
OF_THE_TAP: Final = frozenset({
    "capture-loss", "table-pressure", "tap-blind", "tap-transmitted", "one-sided", "clock-unsynced",
})  # fmt: skip
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
    "inbound-to-clinical": Entry(Severity.PAGE, "a clinical device that only begins sessions has accepted one", _BLOCK),
    "known-bad-destination": Entry(
        Severity.PAGE,
        "a device contacts an address of the shipped list",
        "Have the network team block this address for the whole ward at the firewall, leave the device in use, and "
        "ask biomedical engineering what this product is known for.",
    ),
    "remote-access-tool": Entry(
        Severity.PAGE,
        "a device is steered from elsewhere by a remote-access tool",
        "Ask the device's maker and biomedical engineering whether somebody services it now; if not, have the network"
        " team block this one connection.",
    ),
    "mining": Entry(
        Severity.PAGE,
        "a device mines crypto-currency",
        "Have the network team block this pool for this device, leave the device in use while a patient needs it, and"
        " have it looked at by biomedical engineering afterwards.",
    ),
    "beacon": Entry(
        Severity.PAGE,
        "a device calls a peer outside its contract at an even pace",
        "Have the network team look up whose address this is and block it for this device if nobody knows it; leave "
        "the device in use.",
    ),
    "exfiltration": Entry(
        Severity.PAGE,
        "a device sends far more than its role does to a new peer",
        "Ask who uses the device whether an export or a backup runs; if not, have the network team block this one "
        "connection.",
    ),
    "icmp-tunnel": Entry(Severity.PAGE, "echo messages carry data", _BLOCK),
    "covert-channel": Entry(Severity.PAGE, "DNS, NTP or ICMP carries something else", _BLOCK),
    "flood": Entry(
        Severity.PAGE,
        "a device is flooded by another one",
        "Have the network team limit or block the sender at its switch port, and look whether the flooded device "
        "still works for its patient.",
    ),
    "credential-guessing": Entry(
        Severity.PAGE,
        "many short sessions, as when passwords are tried",
        "Find who uses the device that tries; have the network team block it from this service, and ask whoever looks"
        " after the target for its log of failed logins.",
    ),
    "default-service": Entry(
        Severity.REVIEW,
        "a clinical device offers Telnet or FTP",
        "Ask biomedical engineering whether the service is needed; until it is closed have the network team let "
        "nobody but its server reach that port.",
    ),
    "cleartext-credentials": Entry(
        Severity.REVIEW,
        "a password crosses the network in clear",
        "Ask whoever looks after the service for an encrypted log-in, and then for a new password; until then have the "
        "network team let only its users reach it.",
    ),
    "exploit-header": Entry(
        Severity.PAGE,
        "a device sends packets whose headers small devices fell over",
        "Have the network team block the sender for this device at the switch, and see whether the device still works "
        "for its patient; ask its maker whether its network software is of the ones that were attacked so.",
    ),
    "smb-exploit": Entry(
        Severity.PAGE,
        "a device attacks Windows file sharing by a known hole",
        "Have the network team block TCP ports 139 and 445 of the one that attacks at its switch port; have whoever "
        "looks after the target examine it for an intruder, once no patient needs it.",
    ),
    "smb1-in-use": Entry(
        Severity.POSTURE,
        "files are shared by SMB1",
        "Put it on the list for the next maintenance: have SMB 2 or 3 agreed on, or the share moved.",
    ),
    "cleartext-clinical": Entry(
        Severity.POSTURE,
        "patient data crosses the network in clear",
        "Put it on the list for the next maintenance: DICOM and HL7 can run under TLS, or in a network of their own.",
    ),
    "cleartext-web": Entry(
        Severity.POSTURE,
        "a device serves web pages in clear",
        "Put it on the list for the next maintenance: have the pages served under TLS or switched off, and until then"
        " let only whoever looks after the device reach them.",
    ),
    "legacy-tls": Entry(
        Severity.POSTURE,
        "a device speaks a TLS that was withdrawn",
        "Put it on the list for the next maintenance: ask the maker for a version that speaks TLS 1.2 or newer.",
    ),
    "legacy-os": Entry(
        Severity.POSTURE,
        "a device runs a system that is no longer corrected",
        "Ask biomedical engineering for the maker's plan; until then have the network team let only the device's own "
        "peers reach it.",
    ),
    "advisory-match": Entry(
        Severity.POSTURE,
        "there are public advisories about products like this device",
        "Give the list to biomedical engineering, who can compare the device's version with what the advisories name.",
    ),
    "voice-assistant": Entry(
        Severity.REVIEW,
        "a device with a listening microphone is on the ward's network",
        "Ask the ward whose it is; it belongs on the guest network, outside patient rooms.",
    ),
    "consumer-device": Entry(
        Severity.REVIEW,
        "a consumer's media player is on the ward's network",
        "Ask the ward whose it is; it belongs on the guest network.",
    ),
    "role-contradiction": Entry(
        Severity.REVIEW,
        "a device does what it cannot be",
        "Find its switch port and look at it with biomedical engineering; do not log in to it.",
    ),
    "change-event": Entry(
        Severity.REVIEW,
        "firmware, a library or the server of a clinical device changed",
        "Ask biomedical engineering whether this was planned; declare the next one as a change window.",
    ),
    "arp-binding-changed": Entry(
        Severity.PAGE,
        "a device claims an address that another one has",
        "Find the claimer's switch port and take that port out of the ward's network with the network team; leave the"
        " device whose address it is as it is.",
    ),
    "duplicate-address": Entry(
        Severity.PAGE,
        "two devices have the same address",
        "Find both switch ports and ask which of the two was given this address; correct the other one when no "
        "patient needs it.",
    ),
    "dhcp-starvation": Entry(
        Severity.PAGE,
        "somebody uses up the addresses that devices of the ward need",
        "Have the network team find the switch port from which these requests come and limit the cards allowed on it; "
        "have them see how many addresses the DHCP server has left.",
    ),
    "rogue-dns": Entry(
        Severity.PAGE,
        "names are answered by a device that did not do so before",
        "Have the network team find the resolver's switch port and block TCP and UDP port 53 to it; then look which "
        "devices asked it, and where they connected to afterwards.",
    ),
    "on-path-suspected": Entry(
        Severity.PAGE,
        "a device stands between two others and can alter what they send",
        "Find its switch port and take that port out of the ward's network with the network team at once; have images "
        "that were sent since the first sign compared with the modality's own before anybody relies on them.",
    ),
    "rogue-bridge": Entry(
        Severity.REVIEW,
        "something that can stand between others was plugged in",
        "Find its switch port and ask the ward whose it is; take it out of the ward's network with the network team if "
        "nobody answers for it.",
    ),
    "neighbour-changed": Entry(
        Severity.PAGE,
        "a device claims an IPv6 address that another one has",
        "Find the claimer's switch port and take that port out of the ward's network with the network team; leave the"
        " device whose address it is as it is.",
    ),
    "rogue-router": Entry(
        Severity.PAGE,
        "a device that was no router advertises itself as one",
        "Find its switch port and take it out of the ward's network with the network team; have them filter router "
        "advertisements on access ports (RA guard).",
    ),
    "rogue-dhcp": Entry(
        Severity.PAGE,
        "a second DHCP server gives another gateway or name server",
        "Find its switch port and take it out of the ward's network with the network team; then look which devices "
        "took its addresses.",
    ),
    "dns-tunnel": Entry(
        Severity.PAGE,
        "names asked for by DNS carry data",
        "Have whoever runs the name server look up what this device asked for at that time, block the domain there, "
        "and leave the device in use while a patient needs it.",
    ),
    "dga": Entry(
        Severity.PAGE,
        "a device asks for many invented domains, as malware does that looks for its operator",
        "Have whoever runs the name server look up what this device asked for at that time; leave the device in use "
        "while a patient needs it, and have it looked at by biomedical engineering or the workplace team afterwards.",
    ),
    "policy-site": Entry(
        Severity.REVIEW,
        "social media, webmail or streaming from a device of the ward",
        "Speak with the ward about what this device is for; have the network team block the kind of site for it if "
        "nobody needs it.",
    ),
    "dicom-unknown-peer": Entry(
        Severity.PAGE,
        "a host that was not there before calls a DICOM device",
        "Ask radiology and biomedical engineering whether this device was set up; if not, have the network team keep "
        "it from the one that it calls, and leave that one in use.",
    ),
    "dicom-probe": Entry(
        Severity.REVIEW,
        "a host tries DICOM titles, or lists what is stored",
        _FIND,
    ),
    "hl7-second-receiver": Entry(
        Severity.PAGE,
        "a clinical application sends its messages to a further receiver",
        "Ask whoever looks after the interface engine whether this receiver was set up; if not, have the network team "
        "block this one connection and leave the sender in use.",
    ),
    "hl7-new-sender": Entry(
        Severity.REVIEW,
        "another device sends under the name of a clinical application",
        "Ask whoever looks after the interface engine whether the application was moved; if not, find the device's "
        "switch port, and have what it sent looked at before somebody relies on it.",
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
        "Look at the leg's cable, at the tap's monitor port or at what the switch is told to mirror, and leave the "
        "ward's own cables alone; until the leg hears again this tap cannot tell what happens there.",
    ),
    "one-sided": Entry(
        Severity.HEALTH,
        "the tap hears one direction only",
        "Look at the cabling of the tap: both monitor ports must reach a leg, or the switch must mirror what a port "
        "sends and what it receives; leave the ward's own cables alone.",
    ),
    "clock-unsynced": Entry(
        Severity.HEALTH,
        "the tap's clock is wrong, or nothing keeps it right",
        "Set the hospital's time servers in the tap's chrony configuration and see that it reaches them; until then "
        "read the times of its findings with care.",
    ),
    "tap-transmitted": Entry(
        Severity.PAGE,
        "the tap itself has sent frames on a leg",
        "Pull this leg's cable out of the appliance - the ward's traffic does not pass through it - and find what uses "
        "the interface before it goes back.",
    ),
}

# What the collector raises, because only it knows: agent/collector/store has the same words.
ELSEWHERE: Final[dict[str, Entry]] = {
    "spool-loss": Entry(
        Severity.HEALTH,
        "a tap lost what it had to report before it could be delivered",
        "Look how long this tap was without a link and how full its storage was; if it was neither, have its storage "
        "replaced.",
    ),
    "equivocation": Entry(
        Severity.PAGE,
        "a tap contradicts what it signed before",
        "Compare the tap in the ward with its enrolment; replace its key if there may be a copy of it.",
    ),
}


def role_mask(roles: Sequence[str], wanted: frozenset[str]) -> npt.NDArray[np.bool_]:
    """For each role index whether the role is one of these."""
    return np.array([role in wanted for role in roles], dtype=np.bool_)
