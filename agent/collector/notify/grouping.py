"""Which messages to send now: pure, so that a storm can be tried without a network."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from agent.clock import utc_text
from agent.collector.notify.records import Item, Message
from agent.collector.store.outbox import Due
from agent.collector.text import mac_text
from agent.visible import visible
from agent.wire.in_words import measure, measured

DIGEST_ITEMS_MAX = 50
EVIDENCE_SHOWN = 12


class Planned(NamedTuple):
    """A message and the notices that it settles."""

    message: Message
    notices: tuple[Due, ...]


def plan(due: Sequence[Due], sent_in_interval: int, messages_max: int) -> list[Planned]:
    """One message per cause while there is room; the last place of an interval is kept for a digest of all the rest."""
    room = max(0, messages_max - sent_in_interval)
    if len(due) <= room:
        return [_single(notice) for notice in due]
    if room == 0:
        return []
    return [*(_single(notice) for notice in due[: room - 1]), _digest(due[room - 1 :])]


def _single(notice: Due) -> Planned:
    return Planned(Message(_key([notice]), digest=False, items=(_item(notice),)), (notice,))


def _digest(notices: Sequence[Due]) -> Planned:
    shown = notices[:DIGEST_ITEMS_MAX]
    items = tuple(_item(notice) for notice in shown)
    message = Message(_key(notices), digest=True, items=items, left_out=len(notices) - len(shown))
    return Planned(message, tuple(notices))


def _key(notices: Sequence[Due]) -> str:
    """The same for the same notices in the same state: a receiver can drop what it has seen."""
    text = ";".join(f"{notice.site}/{notice.id}/{notice.cause}/{notice.sent_count}" for notice in notices)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _item(notice: Due) -> Item:
    evidence = json.loads(notice.evidence)[:EVIDENCE_SHOWN]
    return Item(
        id=visible(notice.id),
        severity=visible(notice.severity),
        site=visible(notice.site),
        mac=mac_text(notice.mac),
        role=visible(notice.role),
        count=notice.repeats,
        first=utc_text(notice.first_ns),
        last=utc_text(notice.last_ns),
        sentence=visible(notice.sentence, 1000),
        evidence=tuple((visible(measure(name)), visible(measured(value, name))) for name, value in evidence),
        step=visible(notice.step, 1000),
    )
