"""POCT1-A (CLSI POCT1-A2): which messages an analyser or its data manager sends, and what a hello says made it.

Only the root element's name is read, and of a hello the maker and the model, when they are plain words. A device's own
id and name hold the hospital and the ward, its serial number is its own; patients, operators, orders and results stand
in the other messages. None of these is looked at. XML is not parsed: a name is looked for, and the value beside it.
"""

import string

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, within

_DECLARATION, _DECLARATION_END, _DECLARATION_MAX = b"<?xm", b"?>", 129
_BLANKS, _BLANKS_MAX = b" \t\r\n", 4
_ROOT_OCTETS = 9
# Messages of the device messaging layer; who sends which one tells the two ends apart.
_MESSAGES = frozenset(
    {
        *("HEL.R01", "DST.R01", "OBS.R01", "OBS.R02", "EVS.R01"),  # an analyser's
        *("REQ.R01", "DTV.R01", "DTV.R02", "OPL.R01", "OPL.R02", "PTL.R01", "PTL.R02"),  # a data manager's
        *("ACK.R01", "EOT.R01", "END.R01", "ESC.R01", "KPA.R01"),  # either's
    }
)
_HELLO, _DEVICE, _DEVICE_LOOK, _DEVICE_OCTETS = "HEL.R01", b"<DEV", 1024, 512
_FIELDS = {
    "poct1a.maker": (b"<DEV.vendor_id", b"<DEV.manufacturer_name"),
    "poct1a.model": (b"<DEV.model_id",),
}
_FIELD_OCTETS = 64  # of one field that are looked at
_VALUE_MAX = 32
_VALUE = frozenset(string.ascii_letters + string.digits + " .+-/")


def _root(payload: bytes) -> int:
    """Where the root element begins, behind a declaration."""
    if payload[:4] != _DECLARATION:
        return 0
    at = payload[:_DECLARATION_MAX].find(_DECLARATION_END)
    if at < 0:
        return len(payload)
    at += len(_DECLARATION_END)
    blanks = payload[at : at + _BLANKS_MAX]
    return at + len(blanks) - len(blanks.lstrip(_BLANKS))


def _value(section: bytes, name: bytes) -> str:
    """The first component of a field's `V`; empty when it is not there, is cut, or is no plain word."""
    at = section.find(name)
    if at < 0:
        return ""
    before, equals, rest = section[at + len(name) : at + len(name) + _FIELD_OCTETS].partition(b"=")
    quoted = rest.lstrip(_BLANKS)
    if not equals or before.strip(_BLANKS) != b"V" or quoted[:1] not in {b'"', b"'"}:
        return ""
    value, mark, _ = quoted[1:].partition(quoted[:1])
    if not mark:
        return ""
    return within(printable(value.partition(b"^")[0]), _VALUE, _VALUE_MAX)


def read(payload: bytes) -> list[Signal]:
    """`poct1a.says` of every message; of a hello the maker and the model too."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    root = _root(payload)
    head = payload[root : root + _ROOT_OCTETS]
    name = head[1:8].decode("latin-1")
    if len(head) < _ROOT_OCTETS or head[:1] != b"<" or head[8:] not in b"> \t\r\n" or name not in _MESSAGES:
        return []
    signals = [Signal("poct1a.says", name)]
    if name == _HELLO:
        at = payload.find(_DEVICE, root, root + _DEVICE_LOOK + len(_DEVICE) - 1)
        section = payload[at : at + _DEVICE_OCTETS] if at >= 0 else b""
        signals += [Signal(kind, _value(section, name)) for kind, names in _FIELDS.items() for name in names]
    return bounded(signals)
