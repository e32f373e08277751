"""Only what is ours is signed."""

from dataclasses import replace

import pytest

from agent.errors import Refused
from agent.signing.envelope import open_envelope, require_origin
from agent.spool.reader import SpoolReader
from agent.spool.records import SpoolRecord
from agent.spool.writer import SpoolWriter
from agent.uplink.sealer import Sealer
from agent.wire import body, topics
from agent.wire.command import Receipt
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.simulators.kit import AGENT, SITE, Kit


@pytest.fixture
def record(spool: SpoolWriter) -> SpoolRecord:
    spool.append(MessageType.SUMMARY, Summary(Interval(1, 2)).to_content())
    assert spool.flush(60)
    return next(SpoolReader(spool._disk.folder).records())


def test_what_is_ours_is_signed_and_again_the_same(kit: Kit, record: SpoolRecord) -> None:
    sealer = Sealer(AGENT, SITE, [kit.agent])
    leaf, envelope = sealer.seal(record)
    assert (leaf, envelope) == sealer.seal(record)
    opened = open_envelope(envelope, kit.trust)
    assert opened.body == record.body
    header, _ = body.decode(opened.type, opened.body)
    require_origin(opened, header, topics.parse(topics.up(SITE, AGENT, leaf)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"run": bytes(16)}, "wrong-place"),
        ({"seq": 2}, "wrong-place"),
        ({"stream": "uplink"}, "wrong-type"),
        ({"type": "wardtap/receipt.v1"}, "bad-schema"),
        ({"type": "wardtap/uplink.v1"}, "wrong-type"),
        ({"type": "wardtap/command.v1"}, "wrong-type"),
        ({"type": "wardtap/finding.v1"}, "bad-schema"),
        ({"type": ""}, "wrong-type"),
        ({"body": b""}, "too-large"),
        ({"body": b"\x00\xc1"}, "bad-encoding"),
    ],
)
def test_what_is_not_ours_is_not(kit: Kit, record: SpoolRecord, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as caught:
        Sealer(AGENT, SITE, [kit.agent]).seal(replace(record, **changes))  # type: ignore[arg-type]
    assert caught.value.reason == reason


@pytest.mark.parametrize(("agent", "site"), [("tap-2", SITE), (AGENT, "elsewhere")])
def test_another_agents_record_is_not_signed(kit: Kit, record: SpoolRecord, agent: str, site: str) -> None:
    with pytest.raises(Refused) as caught:
        Sealer(agent, site, [kit.agent]).seal(record)
    assert caught.value.reason == "wrong-agent"


@pytest.mark.parametrize(
    ("name", "state", "taken"),
    [
        ("label-device", "done", True),
        ("self-test", "failed", True),
        ("label-device", "running", False),
        ("rotate-key", "done", False),
        ("status", "done", False),
        ("update-to", "refused", False),
    ],
)
def test_a_sensor_speaks_of_its_own_commands_only(
    kit: Kit, spool: SpoolWriter, name: str, state: str, *, taken: bool
) -> None:
    """Whoever took it over must not say that a key was changed."""
    sealer, heard = Sealer(AGENT, SITE, [kit.agent]), list[Receipt]()
    sealer.on_receipt = heard.append
    receipt = Receipt(bytes(16), name, state, "", {})
    spool.append(MessageType.RECEIPT, receipt.to_content())
    assert spool.flush(60)
    record = next(SpoolReader(spool._disk.folder).records())
    if taken:
        sealer.seal(record)
        assert heard == [receipt]
        return
    with pytest.raises(Refused) as caught:
        sealer.seal(record)
    assert caught.value.reason == "wrong-receipt"
    assert heard == []
