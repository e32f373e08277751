import pytest

from agent.collector.acks import Outgoing, Voice
from agent.collector.records import Position, StreamKey
from agent.errors import Refused
from agent.signing.envelope import open_envelope
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust, TrustEntry
from agent.wire import body
from agent.wire.delivery import Ack, Epoch

KEY = PrivateKey.generate()
TRUST = Trust([TrustEntry.for_key(KEY.public, "collector", "collector", "ward")])
STREAM = StreamKey("ward", "tap-1", b"r" * 16, "sensor")


def opened(message: Outgoing) -> dict[str, object]:
    envelope = open_envelope(message.payload, TRUST)
    return body.decode(envelope.type, envelope.body)[1]


def test_an_acknowledgement_is_signed_and_addressed() -> None:
    voice = Voice(KEY)
    (message,) = voice.acknowledge([Position(STREAM, 7, ((9, 12),))])
    assert (message.topic, message.retain) == ("wardtap/1/ward/tap-1/down/ack", False)
    assert Ack.from_content(opened(message)) == Ack("tap-1", "ward", STREAM.run, "sensor", 7, ((9, 12),), b"")


def test_the_bell_is_retained_random_and_named_by_later_acknowledgements() -> None:
    voice = Voice(KEY)
    bells = voice.ring(["annex", "ward"], 42)
    assert [(bell.topic, bell.retain) for bell in bells] == [
        ("wardtap/1/annex/epoch", True),
        ("wardtap/1/ward/epoch", True),
    ]
    epoch = Epoch.from_content(opened(bells[1]))
    assert (epoch.wall_ns, epoch.id) == (42, voice.epoch)
    (message,) = voice.acknowledge([Position(STREAM, 1, ())])
    assert opened(message)["epoch"] == epoch.id
    voice.ring(["ward"], 43)
    assert voice.epoch != epoch.id


def test_another_key_is_not_believed() -> None:
    (message,) = Voice(PrivateKey.generate()).acknowledge([Position(STREAM, 1, ())])
    with pytest.raises(Refused):
        open_envelope(message.payload, TRUST)
