"""DNS messages (RFC 1035), walked within bounds: for DNS, mDNS and LLMNR.

Compression pointers must point strictly backwards and at most POINTERS_MAX are followed, so no loop is possible.
"""

from typing import NamedTuple

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS
from agent.packets.hints.text import u16

POINTERS_MAX = 8
QUESTIONS_MAX = 8
RECORDS_MAX = 32
_NAME_OCTETS_MAX = 255  # RFC 1035 section 2.3.4
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33


class Question(NamedTuple):
    """One question: labels joined by dots, type number."""

    name: str
    type: int


class Record(NamedTuple):
    """One resource record; `target` is the name a PTR or SRV record points to, else empty."""

    name: str
    type: int
    data: bytes
    target: str


class Message(NamedTuple):
    """A walked message; what could not be read is missing."""

    is_answer: bool
    code: int
    questions: list[Question]
    records: list[Record]


EMPTY = Message(is_answer=False, code=0, questions=[], records=[])


def name(message: bytes, at: int) -> tuple[str, int]:
    """The name at an offset and the offset after it; ("", -1) when it is damaged. Not printable octets become `?`."""
    labels: list[str] = []
    after, jumps, total, floor = -1, 0, 0, at
    while at < len(message):
        size = message[at]
        if size == 0:
            return ".".join(labels), (at + 1 if after < 0 else after)
        if size >= 0xC0:
            target = u16(message, at) & 0x3FFF
            after = at + 2 if after < 0 else after
            jumps += 1
            if jumps > POINTERS_MAX or target >= floor or at + 1 >= len(message):
                return "", -1
            at = floor = target
            continue
        total += size + 1
        if size > 63 or total > _NAME_OCTETS_MAX or at + 1 + size > len(message):
            return "", -1
        label = message[at + 1 : at + 1 + size].decode("utf-8", "replace")
        labels.append("".join(c if c.isprintable() and c != "." else "?" for c in label))
        at += 1 + size
    return "", -1


def _record(message: bytes, at: int) -> tuple[Record | None, int]:
    """The record at an offset and the offset after it, -1 when damaged."""
    owner, at = name(message, at)
    if at < 0 or at + 10 > len(message):
        return None, -1
    kind, end = u16(message, at), at + 10 + u16(message, at + 8)
    if end > len(message):
        return None, -1
    target = ""
    if kind == PTR:
        target = name(message[:end], at + 10)[0]
    elif kind == SRV and end > at + 16:
        target = name(message[:end], at + 16)[0]
    return Record(owner, kind, message[at + 10 : end], target), end


def walk(payload: bytes) -> Message:
    """Questions and records of a message, as far as they can be read and no further than the bounds."""
    message = payload[:PAYLOAD_MAX_OCTETS]
    if len(message) < 12:
        return EMPTY
    questions: list[Question] = []
    records: list[Record] = []
    at = 12
    for _ in range(min(u16(message, 4), QUESTIONS_MAX)):
        asked, at = name(message, at)
        if at < 0 or at + 4 > len(message):
            return Message(bool(message[2] & 0x80), message[3] & 15, questions, records)
        questions.append(Question(asked, u16(message, at)))
        at += 4
    whole = u16(message, 4) <= QUESTIONS_MAX
    count = min(u16(message, 6) + u16(message, 8) + u16(message, 10), RECORDS_MAX) if whole else 0
    for _ in range(count):
        record, at = _record(message, at)
        if record is None:
            break
        records.append(record)
    return Message(bool(message[2] & 0x80), message[3] & 15, questions, records)
