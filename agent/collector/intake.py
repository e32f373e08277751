"""One message in, one verdict out: a verified record, a verified presence, or a counted refusal. Pure.

The order is the security: topic, signature, who signed against who is named, and only then the content. What an agent
signed but this release cannot read is a record all the same, stored opaque: one odd record never stalls a fleet.
"""

from collections.abc import Callable
from typing import Any

from agent.collector.records import SEQ_MAX, Arrival, Meaning, Presence, Record, Refusal
from agent.errors import Refused, WireError
from agent.signing.envelope import Opened, open_envelope, require_origin
from agent.signing.roster import Trust
from agent.wire import body as wire_body
from agent.wire import summary_v1, topics
from agent.wire.chain import body_hash
from agent.wire.command import Receipt
from agent.wire.delivery import Gap
from agent.wire.finding import FindingRecord
from agent.wire.header import Header
from agent.wire.presence import Birth, ClockAnchor, State, UplinkReport
from agent.wire.summary import Summary
from agent.wire.topics import ParsedTopic
from agent.wire.types import MessageType

Verdict = Record | Presence | Refusal
WILL_BYTES_MAX = 256  # an unsigned will: a packed state, nothing more
READERS: dict[MessageType, Callable[[dict[str, Any]], Meaning]] = {
    MessageType.SUMMARY: Summary.from_content,
    MessageType.SUMMARY_V1: summary_v1.from_content,
    MessageType.FINDING: FindingRecord.from_content,
    MessageType.GAP: Gap.from_content,
    MessageType.RECEIPT: Receipt.from_content,
    MessageType.CLOCK_ANCHOR: ClockAnchor.from_content,
    MessageType.UPLINK: UplinkReport.from_content,
}
PRESENCES: dict[MessageType, Callable[[dict[str, Any]], Birth | State]] = {
    MessageType.BIRTH: Birth.from_content,
    MessageType.STATE: State.from_content,
}


def judge(arrival: Arrival, trust: Trust) -> Verdict:
    """What becomes of a message; never raises for anything a sender can do.

    Refusal reasons: those of `signing.envelope.open_envelope` and `require_origin`, and `wrong-topic`, `wrong-type`,
    `wrong-agent`, `bad-number`, and for bodies without a readable header the reasons of `wire.body`.
    """
    topic: ParsedTopic | None = None
    try:
        topic = _topic(arrival.topic)
        return _verdict(arrival, topic, trust)
    except Refused as error:
        return Refusal(error.reason, _known_agent(topic, trust), arrival.received_ns)


def _topic(text: str) -> ParsedTopic:
    topic = topics.parse(text)
    if topic.direction != "up":
        raise WireError(f"{text} is not for a collector", reason="wrong-topic")
    return topic


def _verdict(arrival: Arrival, topic: ParsedTopic, trust: Trust) -> Verdict:
    if topic.leaf == "state" and len(arrival.payload) <= WILL_BYTES_MAX:
        will = _will(arrival, topic, trust)
        if will is not None:
            return will
    opened = open_envelope(arrival.payload, trust, now_ns=arrival.received_ns)
    if not topic.carries(opened.type):
        raise Refused(f"{opened.type} on the topic of {topic.leaf}", reason="wrong-type")
    require_origin(opened, None, topic)
    if opened.kind in PRESENCES:
        return _presence(arrival, topic, opened)
    header, meaning, unread = _read(opened)
    require_origin(opened, header, topic)
    if header.seq > SEQ_MAX or header.before_seq > SEQ_MAX:
        raise Refused(f"record {header.seq} after {header.before_seq}", reason="bad-number")
    return Record(
        header=header,
        type=opened.type,
        sha256=body_hash(opened.body),
        envelope=arrival.payload,
        body_octets=len(opened.body),
        received_ns=arrival.received_ns,
        meaning=meaning,
        unread=unread,
    )


def _read(opened: Opened) -> tuple[Header, Meaning, str]:
    """Header and meaning, or why there is none; WireError when not even the header can be read."""
    header, content = wire_body.opened(opened.type, opened.body)
    if header is None:
        raise WireError(f"{opened.type} without a header", reason="bad-schema")
    if opened.kind is None:
        return header, None, "unknown-type"
    try:
        wire_body.check(opened.kind, header, content)
        reader = READERS.get(opened.kind)
        return header, reader(content) if reader is not None else None, ""
    except WireError as error:
        return header, None, error.reason


def _presence(arrival: Arrival, topic: ParsedTopic, opened: Opened) -> Presence:
    assert opened.kind is not None
    _, content = wire_body.decode(opened.type, opened.body)
    if content["agent"] != topic.agent or content.get("site", topic.site) != topic.site:
        raise Refused(f"{opened.type} of {content['agent']} on the topic of {topic.agent}", reason="wrong-agent")
    return Presence(
        topic.site, topic.agent, PRESENCES[opened.kind](content), signed=True, received_ns=arrival.received_ns
    )


def _will(arrival: Arrival, topic: ParsedTopic, trust: Trust) -> Presence | None:
    """An unsigned `lost` of a tap that the trust table knows: a hint, shown as one. Anything else is no will."""
    try:
        _, content = wire_body.decode(MessageType.STATE, arrival.payload)
    except WireError:
        return None
    if content["state"] != "lost" or content["agent"] != topic.agent or not _known_agent(topic, trust):
        return None
    return Presence(topic.site, topic.agent, State.from_content(content), signed=False, received_ns=arrival.received_ns)


def _known_agent(topic: ParsedTopic | None, trust: Trust) -> str:
    """The topic's agent when the trust table has it: strangers cannot add rows to the books."""
    if topic is None:
        return ""
    known = any(entry.name == topic.agent and entry.site == topic.site for entry in trust.agents())
    return topic.agent if known else ""
