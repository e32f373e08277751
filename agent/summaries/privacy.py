"""The last gate: what may leave the tap, and in which form. Tables, so that a new field is closed until it is listed.

A string that came from the wire leaves as a keyed pseudonym (host names and AE titles hold patients', clinicians' and
rooms' names), or in plain where the site itself has said that a pattern of names is harmless. The key never leaves the
sensor: the same name gives the same pseudonym on one site, and cannot be found by trying names without the key.
What says of itself that it is a pack's word is looked up among the packs' words: nobody is believed.
"""

import base64
import hashlib
import re
from collections.abc import Container, Iterable
from dataclasses import replace
from enum import Enum
from typing import Protocol

from agent.errors import ConfigError
from agent.findings.records import Finding

KEY_MIN_BYTES = 16
_KEY_MAX_BYTES = 64  # BLAKE2b's
_PSEUDONYM_CHARS = 10  # 50 bits: no two of a site's names meet, and it still fits a line
_PERSON = b"wardtap.name"  # BLAKE2 personalisation: this key's other uses cannot be confused with this one
_VALUE_MAX_CHARS = 128
_PATTERNS_MAX = 64
_PATTERN_MAX_CHARS = 120
_CACHE_MAX = 8192
# A site's pattern that fits one of these would let a patient's name, number or date of birth out with the devices'.
_NEVER_APPROVED = (
    "QUILLFEATHER", "Quillfeather", "quillfeather", "QUILLFEATHER^ORSOLYA", "Orsolya Quillfeather", "ORSOLYA-Q",
    "orsolya.quillfeather", "quillfeather_orsolya", "19610214", "1961-02-14", "14.02.1961", "80417729352", "WT7740193V",
)  # fmt: skip
_SMALL_NUMBER = re.compile(r"[0-9]{1,5}")
_NESTED_REPEAT = re.compile(r"[+*}][^()]*\)[+*{]")  # (a+)+ and its kin: exponential in a hostile name's length


class Form(Enum):
    """How a field leaves."""

    WORD = "word"  # a word of a shipped pack, as it is; anything else as a pseudonym
    NAME = "name"  # always a pseudonym, unless a pattern of the site allows the plain text
    NUMBER = "number"  # of 16 bits at most: too small for a date of birth or a record's number
    NEVER = "never"  # stays in the sensor


# Signals that may leave as evidence. What is not here is NEVER.
GATE: dict[str, Form] = {
    "arp.says": Form.WORD,
    "bacnet.asks": Form.WORD,
    "bacnet.device": Form.WORD,
    "bacnet.vendor": Form.NUMBER,
    "capsule.announce": Form.WORD,
    "cdp.capabilities": Form.WORD,
    "cdp.name": Form.NAME,
    "cdp.platform": Form.WORD,
    "cdp.version": Form.WORD,
    "continuity": Form.WORD,
    "credentials.clear": Form.WORD,
    "dhcp.client-id": Form.NEVER,
    "dhcp.fqdn": Form.NAME,
    "dhcp.host": Form.NAME,
    "dhcp.message": Form.WORD,
    "dhcp.options": Form.WORD,
    "dhcp.order": Form.NEVER,
    "dhcp.routes": Form.WORD,
    "dhcp.size": Form.NEVER,
    "dhcp.vendor": Form.WORD,
    "dhcp.vendor-class": Form.WORD,
    "dhcpv6.client-id": Form.NEVER,
    "dhcpv6.duid": Form.NEVER,
    "dhcpv6.host": Form.NAME,
    "dhcpv6.options": Form.WORD,
    "dhcpv6.order": Form.NEVER,
    "dhcpv6.vendor": Form.WORD,
    "dicom.aborts": Form.WORD,
    "dicom.accepts": Form.WORD,
    "dicom.ae": Form.NAME,
    "dicom.asked": Form.WORD,
    "dicom.implementation": Form.WORD,
    "dicom.rejects": Form.WORD,
    "dicom.syntaxes": Form.NEVER,
    "dicom.uses": Form.WORD,
    "dicom.version": Form.WORD,
    "dns.answer": Form.NAME,
    "dns.asks": Form.WORD,
    "gateway": Form.WORD,
    "hl7.ack": Form.WORD,
    "hl7.device": Form.WORD,
    "hl7.message": Form.WORD,
    "hl7.receiver": Form.NAME,
    "hl7.receiver-facility": Form.NEVER,
    "hl7.sender": Form.NAME,
    "hl7.sender-facility": Form.NEVER,
    "http.agent": Form.WORD,
    "http.host": Form.WORD,
    "http.server": Form.WORD,
    "intellivue.address": Form.NEVER,
    "intellivue.maker": Form.WORD,
    "intellivue.model": Form.WORD,
    "intellivue.says": Form.WORD,
    "lldp.capabilities": Form.WORD,
    "lldp.description": Form.WORD,
    "lldp.maker": Form.WORD,
    "lldp.model": Form.WORD,
    "lldp.name": Form.NAME,
    "llmnr.host": Form.NAME,
    "mac": Form.WORD,
    "mdns.asks": Form.WORD,
    "mdns.host": Form.NAME,
    "mdns.maker": Form.WORD,
    "mdns.model": Form.WORD,
    "mdns.service": Form.WORD,
    "modbus.maker": Form.WORD,
    "modbus.product": Form.WORD,
    "modbus.refuses": Form.WORD,
    "modbus.revision": Form.NEVER,
    "modbus.speaks": Form.WORD,
    "mqtt.client": Form.WORD,
    "mqtt.version": Form.WORD,
    "nd.asks": Form.WORD,
    "nd.configuration": Form.WORD,
    "nd.dns": Form.NEVER,
    "nd.mtu": Form.NEVER,
    "nd.prefix": Form.NEVER,
    "nd.router": Form.WORD,
    "nd.says": Form.WORD,
    "netbios.group": Form.NAME,
    "netbios.host": Form.NAME,
    "netbios.os": Form.WORD,
    "netbios.service": Form.WORD,
    "ntp.asks": Form.WORD,
    "ntp.reference": Form.WORD,
    "ntp.serves": Form.WORD,
    "offers": Form.WORD,
    "oui": Form.WORD,
    "poct1a.maker": Form.WORD,
    "poct1a.model": Form.WORD,
    "poct1a.says": Form.WORD,
    "quic.version": Form.WORD,
    "sdc.answers": Form.WORD,
    "sdc.asks": Form.WORD,
    "sdc.reports": Form.WORD,
    "sip.agent": Form.WORD,
    "sip.asks": Form.WORD,
    "sip.server": Form.WORD,
    "smb.dialect": Form.WORD,
    "smb.host": Form.NAME,
    "smb.lanman": Form.WORD,
    "smb.os": Form.WORD,
    "smb.os-version": Form.WORD,
    "snmp.enterprise": Form.NUMBER,
    "snmp.message": Form.WORD,
    "snmp.version": Form.WORD,
    "ssdp.agent": Form.WORD,
    "ssdp.asks": Form.WORD,
    "ssdp.server": Form.WORD,
    "ssdp.type": Form.WORD,
    "ssh.software": Form.WORD,
    "stp.says": Form.WORD,
    "stp.version": Form.WORD,
    "tcp.syn": Form.WORD,
    "tcp.syn-ack": Form.WORD,
    "tls.alpn": Form.WORD,
    "tls.chosen": Form.WORD,
    "tls.ja3": Form.WORD,
    "tls.ja4": Form.WORD,
    "tls.sni": Form.WORD,
    "tls.version": Form.WORD,
    "upnp.maker": Form.WORD,
    "upnp.model": Form.WORD,
    "upnp.model-number": Form.WORD,
    "uses": Form.WORD,
    "wsd.asks": Form.WORD,
    "wsd.offers": Form.WORD,
    "wsd.scope": Form.WORD,
}

# Evidence of findings whose text the judge makes itself, of numbers and of the packs' words. Text under another name
# leaves as a pseudonym; numbers leave.
JUDGED: frozenset[str] = frozenset(
    {
        "address", "advisories", "before", "busiest", "capture", "category", "client", "conflict", "contact",
        "detail", "device-last-heard", "direction", "first", "gateway", "group", "interval-end", "known-routers",
        "known-servers", "last", "leg", "list", "match", "message", "name-server", "never", "now", "odd-contact",
        "offers", "owner", "peer", "protocol", "record-types", "resolver", "said-by", "seen", "sender", "server",
        "service", "session", "shape", "shapes", "side", "sign", "signs", "since", "site", "source", "state",
        "support-ended", "suppressed-until", "system", "target", "version", "worst",
    }
)  # fmt: skip


class EvidenceLike(Protocol):
    """What the gate needs of a piece of evidence (devices/evidence.py)."""

    @property
    def signal(self) -> str:
        """Its kind."""

    @property
    def value(self) -> str:
        """What was seen."""

    @property
    def weight(self) -> float:
        """How much it says, in nats."""

    @property
    def is_token(self) -> bool:
        """Whether `value` is a word of a shipped pack."""


class Pseudonyms:
    """Turns names into keyed pseudonyms. One per sensor; its key is the site's and lies in a file of mode 0600."""

    def __init__(self, key: bytes, plain_patterns: Iterable[str] = (), words: Container[str] = ()) -> None:
        if not KEY_MIN_BYTES <= len(key) <= _KEY_MAX_BYTES:
            raise ConfigError(f"a pseudonym key has {KEY_MIN_BYTES} to {_KEY_MAX_BYTES} bytes, this one {len(key)}")
        self._key = key
        self._plain = [_compiled(pattern) for pattern in _few(plain_patterns)]
        self._words = words  # of the shipped packs
        self._known: dict[str, str] = {}

    def name(self, value: str) -> str:
        """`~` and ten characters, or the plain value when one of the site's patterns fits all of it."""
        found = self._known.get(value)
        if found is None:
            found = value if self._may_be_plain(value) else self._pseudonym(value)
            if len(self._known) >= _CACHE_MAX:
                self._known.clear()
            self._known[value] = found
        return found

    def word(self, value: str) -> str:
        """A word of a shipped pack as it is (a role, a maker, a model); whatever else, as a name."""
        return value if not value or value in self._words else self.name(value)

    def is_word(self, value: str) -> bool:
        """Whether it is a word of a shipped pack and nothing else."""
        return value in self._words

    def evidence(self, evidence: EvidenceLike) -> tuple[str, str, float]:
        """Signal, value in the form the gate allows, weight. A signal that is not listed loses its value."""
        is_token = evidence.is_token and evidence.value in self._words
        return evidence.signal, gate(evidence.signal, evidence.value, self, is_token=is_token), evidence.weight

    def finding(self, finding: Finding) -> Finding:
        """The finding with evidence that may leave: text under a name that is not listed is from anywhere."""
        if all(name in JUDGED or not isinstance(value, str) for name, value in finding.evidence):
            return finding
        evidence = tuple(
            (name, self.name(value) if isinstance(value, str) and name not in JUDGED else value)
            for name, value in finding.evidence
        )
        return replace(finding, evidence=evidence)

    def _may_be_plain(self, value: str) -> bool:
        return len(value) <= _VALUE_MAX_CHARS and any(pattern.fullmatch(value) for pattern in self._plain)

    def _pseudonym(self, value: str) -> str:
        octets = value.casefold().encode("utf-8", "surrogatepass")  # names differ in case between protocols
        digest = hashlib.blake2b(octets, digest_size=8, key=self._key, person=_PERSON).digest()
        return "~" + base64.b32encode(digest).decode("ascii")[:_PSEUDONYM_CHARS].lower()


def gate(signal: str, value: str, pseudonyms: Pseudonyms, *, is_token: bool = False) -> str:
    """`value` as it may leave for this signal; the empty string when it may not."""
    form = GATE.get(signal, Form.NEVER)
    if form is Form.NEVER:
        return ""
    if is_token:
        return value[:_VALUE_MAX_CHARS]
    if form is Form.NUMBER and _SMALL_NUMBER.fullmatch(value):
        return value
    return pseudonyms.name(value)


def _few(patterns: Iterable[str]) -> list[str]:
    """The patterns; ConfigError when they are too many."""
    listed = list(patterns)
    if len(listed) > _PATTERNS_MAX:
        raise ConfigError(
            f"at most {_PATTERNS_MAX} plain name patterns, not {len(listed)}", where="plain_name_patterns"
        )
    return listed


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the configuration. ConfigError when it is none, fits patients, or could take for ever."""
    where = "plain_name_patterns"
    if len(pattern) > _PATTERN_MAX_CHARS or _NESTED_REPEAT.search(pattern):
        raise ConfigError(f"{pattern!r} is too long or repeats a repetition", where=where, todo="write it without ( )+")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{pattern!r} is no pattern: {error}", where=where) from error
    if any(compiled.fullmatch(name) for name in _NEVER_APPROVED):
        todo = "begin it with the letters that only your devices' names begin with"
        raise ConfigError(f"{pattern!r} also fits a person's name, number or date of birth", where=where, todo=todo)
    return compiled
