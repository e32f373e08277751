"""DICOM associations (PS3.8 section 9.3): AE titles, implementation, abstract syntaxes, refusals. Never a data set.

A-ASSOCIATE-RQ and -AC share one layout: type, reserved, length (4), version (2), reserved (2), called AE (16), calling
AE (16), reserved (32), then items of type (1), reserved (1), length (2). A-ASSOCIATE-RJ and A-ABORT have four octets:
two of them say who and why.
"""

import hashlib
from collections.abc import Iterator

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16, within

_REQUEST, _ACCEPT, _REJECT, _ABORT = 1, 2, 3, 7
_ITEMS_AT = 74
_CONTEXT, _USER = 0x20, 0x50
_ABSTRACT, _CLASS_UID, _VERSION = 0x30, 0x52, 0x55
_ITEMS_MAX = 160  # 128 presentation contexts (odd ids of one octet) and the others
_UID = frozenset("0123456789.")
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SERVICES_MAX = 5  # told of one request, for each side
_REFUSALS = {  # table 9-21: (source, reason)
    (1, 1): "no-reason",
    (1, 2): "application-context",
    (1, 3): "calling-title",
    (1, 7): "called-title",
    (2, 1): "no-reason",
    (2, 2): "protocol-version",
    (3, 1): "congestion",
    (3, 2): "local-limit",
}
_FAULTS = {0: "no-reason", 1: "unknown-pdu", 2: "unexpected-pdu", 4: "unknown-parameter", 5: "unexpected-parameter"}
_FAULTS |= {6: "invalid-parameter"}  # table 9-26
_MANY_STORAGE_CLASSES = 4  # a modality stores what it makes; who offers more forwards what others made

# SOP class UIDs (PS3.6 annex A) to the service classes that tell a device's part.
_CLASSES = {
    "1.2.840.10008.1.1": "verification",
    "1.2.840.10008.1.20.1": "commitment",
    "1.2.840.10008.3.1.2.3.3": "mpps",
    "1.2.840.10008.5.1.4.31": "worklist",
    "1.2.840.10008.5.1.1.9": "print",
    "1.2.840.10008.5.1.1.18": "print",
}
_IMAGES = {
    "1": "xray",
    "1.1": "xray",
    "1.2": "mammography",
    "2": "ct",
    "2.1": "ct",
    "4": "mr",
    "4.1": "mr",
    "6.1": "ultrasound",
}
_IMAGES |= {"3.1": "ultrasound", "12.1": "xray", "12.2": "xray", "20": "nuclear", "128": "pet", "481.1": "radiotherapy"}


def _items(octets: bytes, at: int, *, cut: bool = False) -> Iterator[tuple[int, bytes]]:
    """Items in order. One that is cut ends the walk; `cut`: it is given as far as it goes, for it holds whole ones."""
    for _ in range(_ITEMS_MAX):
        if at + 4 > len(octets):
            return
        end = at + 4 + u16(octets, at + 2)
        if end <= len(octets) or cut:
            yield octets[at], octets[at + 4 : end]
        at = end


def _service(uid: str) -> str:
    """The service class of an abstract syntax, or the empty string."""
    if uid.startswith("1.2.840.10008.5.1.4.1.2."):  # query/retrieve: ...n.1 FIND, n.2 MOVE, n.3 GET
        return {"1": "query-find", "2": "query-move", "3": "query-get"}.get(uid.rpartition(".")[2], "")
    return _CLASSES.get(uid, "")


def _uid(octets: bytes) -> str:
    """A UID (PS3.5 section 9.1), or the empty string."""
    return within(octets[:64].rstrip(b"\0 ").decode("latin-1"), _UID, 64)


def _syntaxes(contexts: list[bytes]) -> list[str]:
    """Abstract syntaxes proposed, in order."""
    found = (_uid(value) for context in contexts for kind, value in _items(context, 4) if kind == _ABSTRACT)
    return [uid for uid in found if uid]


def _set_of(syntaxes: list[str]) -> str:
    """How many abstract syntaxes, and which ones as a digest: one program always proposes the same."""
    listed = sorted(set(syntaxes))
    digest = hashlib.sha256("\n".join(listed).encode("ascii")).hexdigest()[:12]
    return f"{len(listed)}:{digest}" if listed else ""


def _services(syntaxes: list[str]) -> list[str]:
    """Service classes proposed, each once; storage by kind of image, or `storage-many`."""
    services: dict[str, None] = {}
    images: dict[str, None] = {}
    for uid in syntaxes:
        if uid.startswith(_STORAGE):
            images[f"storage-{_IMAGES.get(uid[len(_STORAGE) :], 'other')}"] = None
        elif _service(uid):
            services[_service(uid)] = None
    if len(images) >= _MANY_STORAGE_CLASSES:
        images = {"storage-many": None}
    return [*services, *images]


def _implementation(user: bytes) -> list[Signal]:
    """Implementation class UID and version name (PS3.7 annex D.3.3.2)."""
    found = dict(_items(user, 0))
    return [
        Signal("dicom.implementation", _uid(found.get(_CLASS_UID, b""))),
        Signal("dicom.version", printable(found.get(_VERSION, b""), 16)),
    ]


def _ended(payload: bytes) -> list[Signal]:
    """A rejection (result, source, reason) or an abort (source, reason)."""
    source, reason = payload[8], payload[9]
    if payload[0] == _REJECT:
        word = _REFUSALS.get((source, reason), "other")
        return [Signal("dicom.rejects", f"{word}, for now" if payload[7] == 2 else word)]
    return [Signal("dicom.aborts", "by-user" if source == 0 else _FAULTS.get(reason, "other"))]


def read(payload: bytes) -> list[Signal]:
    """Signals of an association's request or its answers; of the request also what it says of the called side."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if len(payload) >= 10 and payload[0] in {_REJECT, _ABORT} and payload[1:6] == b"\0\0\0\0\4":
        return _ended(payload)
    if len(payload) < _ITEMS_AT or payload[0] not in {_REQUEST, _ACCEPT} or payload[1] or not u16(payload, 6) & 1:
        return []
    called, calling = printable(payload[10:26], 16), printable(payload[26:42], 16)
    contexts: list[bytes] = []
    user = b""
    for kind, value in _items(payload, _ITEMS_AT, cut=True):
        if kind == _CONTEXT:
            contexts.append(value)
        elif kind == _USER:
            user = value
    if (
        payload[0] == _ACCEPT
    ):  # its AE fields are copies of the request's and are not to be relied on (PS3.8 table 9-17)
        return bounded([*_implementation(user), Signal("dicom.accepts", "association")])
    syntaxes = _syntaxes(contexts)
    whole = 6 + int.from_bytes(payload[2:6], "big") <= len(payload)
    services = _services(syntaxes)[:_SERVICES_MAX]
    return bounded(
        [
            *_implementation(user),
            Signal("dicom.ae", calling),
            Signal("dicom.ae", called, about_peer=True),
            Signal("dicom.syntaxes", _set_of(syntaxes) if whole else ""),
            *(Signal("dicom.uses", service) for service in services),
            *(Signal("dicom.asked", service, about_peer=True) for service in services),
        ]
    )
