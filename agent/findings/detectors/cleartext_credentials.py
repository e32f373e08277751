"""cleartext-credentials: somebody logs in with a password that the network carries in clear. Never what it was."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from agent.devices.records import Sighting
from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Severity
from agent.findings.words import mac_text, many, time_text

KIND: Final = "credentials.clear"
# The reader's words; any other is none of ours.
PROTOCOLS: Final = {
    "ftp": "FTP", "smtp": "SMTP", "pop3": "POP3", "imap": "IMAP", "ldap": "LDAP", "telnet": "Telnet",
    "http": "HTTP Basic", "mqtt": "MQTT",
}  # fmt: skip
PAIRS_MAX: Final = 64  # said in one turn; the next time they log in they are said
DEVICES_MIN: Final = 3  # of a role in an hour that fold into one finding
SERVERS_MIN: Final = 4  # of one device, likewise
EXPECTED: Final = "Passwords cross a ward's network under TLS or SSH, or not at all."


def cleartext_credentials(case: Case) -> Iterator[Draft]:
    """Each pair once a turn, with how often it was heard in it."""
    heard: dict[tuple[int, int, str], list[Sighting]] = {}
    for sighting in case.sighted(KIND):
        client, server = sighting.source, sighting.destination
        if sighting.about_peer:
            client, server = server, client
        if sighting.word in PROTOCOLS and (len(heard) < PAIRS_MAX or (client, server, sighting.word) in heard):
            heard.setdefault((client, server, sighting.word), []).append(sighting)
    for (client, server, word), sightings in heard.items():
        slot = case.slot_of(client)
        about_client = slot is not None and not case.turn.devices.is_gateway(slot)
        slot = slot if about_client else case.slot_of(server)
        if slot is not None:
            yield _draft(case, slot, word, sightings)


def _draft(case: Case, slot: int, word: str, sightings: list[Sighting]) -> Draft:
    first = sightings[0]
    mac, role, name = case.turn.devices.mac(slot), case.role(slot), PROTOCOLS[word]
    sent_by_it = first.source == mac
    other_mac, address = (first.destination, first.receiver) if sent_by_it else (first.source, first.sender)
    other = case.end_text(other_mac, address)
    logs_in = sent_by_it != first.about_peer
    deed = f"logs in to {other}" if logs_in else f"lets {other} log in"
    told = Told(
        text=f"{case.label(slot)} {deed} by {name} with a password in clear: whoever hears the network has it",
        evidence=(("protocol", name), ("peer", other), ("heard", len(sightings)), ("first", time_text(first.time_ns))),
        cause=f"cleartext-credentials|{mac_text(mac)}|{word}|{'out' if logs_in else 'in'}|{mac_text(other_mac)}",
        first_ns=first.time_ns,
        last_ns=sightings[-1].time_ns,
        expected=EXPECTED,
    )
    finding = replace(case.finding("cleartext-credentials", Severity.REVIEW, slot, told), count=len(sightings))
    groups = (
        Group(f"cleartext-credentials|{role}|{word}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}"),
        Group(f"cleartext-credentials|{mac_text(mac)}", f"{other}|{word}", SERVERS_MIN, "{n} log-ins of this device"),
    )
    return Draft(finding, Subject(mac, other_mac), groups)
