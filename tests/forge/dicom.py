"""DICOM upper layer (PS3.8): association, release, and data in P-DATA-TF with DIMSE command sets (PS3.7)."""

import struct
from collections.abc import Sequence

DICOM_PORT = 104
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ULTRASOUND_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
VERIFICATION = "1.2.840.10008.1.1"
STORE_RQ, STORE_RSP, ECHO_RQ, ECHO_RSP = 0x0001, 0x8001, 0x0030, 0x8030


def _pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBI", kind, 0, len(body)) + body


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def _titles(called: str, calling: str) -> bytes:
    return struct.pack(">HH", 1, 0) + called.encode().ljust(16) + calling.encode().ljust(16) + b"\0" * 32


def _user(implementation: str, version: str) -> bytes:
    items = _item(0x51, struct.pack(">I", 16384)) + _item(0x52, implementation.encode()) + _item(0x55, version.encode())
    return _item(0x50, items)


def associate_request(titles: tuple[str, str], contexts: Sequence[str], implementation: tuple[str, str]) -> bytes:
    """A-ASSOCIATE-RQ; titles are (called, calling), implementation is (class UID, version name)."""
    body = _titles(*titles) + _item(0x10, APPLICATION_CONTEXT.encode())
    for number, abstract in enumerate(contexts):
        syntaxes = _item(0x30, abstract.encode()) + _item(0x40, IMPLICIT_LITTLE.encode())
        body += _item(0x20, bytes([2 * number + 1, 0, 0, 0]) + syntaxes)
    return _pdu(1, body + _user(*implementation))


def associate_accept(titles: tuple[str, str], contexts: int, implementation: tuple[str, str]) -> bytes:
    """A-ASSOCIATE-AC that accepts every context."""
    body = _titles(*titles) + _item(0x10, APPLICATION_CONTEXT.encode())
    for number in range(contexts):
        body += _item(0x21, bytes([2 * number + 1, 0, 0, 0]) + _item(0x40, IMPLICIT_LITTLE.encode()))
    return _pdu(2, body + _user(*implementation))


def associate_reject(reason: int = 7) -> bytes:
    """A-ASSOCIATE-RJ, permanent, by the service user; 7 is: called AE title not recognised."""
    return _pdu(3, bytes([0, 1, 1, reason]))


RELEASE_REQUEST = _pdu(5, b"\0" * 4)
RELEASE_RESPONSE = _pdu(6, b"\0" * 4)


def element(group: int, number: int, value: bytes) -> bytes:
    """One data element in implicit little endian, padded to an even length."""
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(value)) + value


def command(kind: int, sop_class: str, message: int, *, data: bool, instance: str = "") -> bytes:
    """A DIMSE command set in a P-DATA-TF; responses carry status 0."""
    body = element(0, 0x0002, sop_class.encode()) + element(0, 0x0100, struct.pack("<H", kind))
    body += element(0, 0x0120 if kind & 0x8000 else 0x0110, struct.pack("<H", message))
    body += element(0, 0x0800, struct.pack("<H", 1 if data else 0x0101))
    if kind & 0x8000:
        body += element(0, 0x0900, b"\0\0")
    if instance:
        body += element(0, 0x1000, instance.encode())
    body = element(0, 0x0000, struct.pack("<I", len(body))) + body
    return _pdata(body, 0x03)


def _pdata(body: bytes, control: int, context: int = 1) -> bytes:
    return _pdu(4, struct.pack(">IBB", len(body) + 2, context, control) + body)


def data(content: bytes, size: int = 16000) -> bytes:
    """A data set in P-DATA-TF PDUs of at most `size` octets, the last one marked."""
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    return b"".join(_pdata(piece, 2 if i == len(pieces) - 1 else 0) for i, piece in enumerate(pieces))
