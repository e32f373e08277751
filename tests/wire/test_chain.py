"""Numbers, hashes and times of one stream."""

import hashlib

import pytest

from agent.clock import CaptureClock
from agent.errors import WireError
from agent.wire import body
from agent.wire.chain import Chain, body_hash
from agent.wire.header import Header
from agent.wire.types import MessageType
from tests.wire.samples import BOOT, CONTENTS, RUN


def _header(kind: MessageType, octets: bytes) -> Header:
    found = body.peek(kind, octets)
    assert found is not None
    return found


def test_each_record_names_the_one_before(sensor: Chain) -> None:
    seq, first = sensor.next(MessageType.SUMMARY, CONTENTS[MessageType.SUMMARY])
    assert (seq, _header(MessageType.SUMMARY, first).prev) == (1, bytes(32))
    seq, second = sensor.next(MessageType.FINDING, CONTENTS[MessageType.FINDING])
    header = _header(MessageType.FINDING, second)
    assert (seq, header.seq, header.prev) == (2, 2, hashlib.sha256(first).digest())
    assert (header.agent, header.site, header.stream, header.boot, header.run) == ("tap-1", "ward", "sensor", BOOT, RUN)


def test_a_refused_record_uses_up_no_number(sensor: Chain) -> None:
    with pytest.raises(WireError):
        sensor.next(MessageType.FINDING, {})
    with pytest.raises(WireError):
        sensor.next(MessageType.UPLINK, CONTENTS[MessageType.UPLINK])  # the uplink's
    assert sensor.next(MessageType.GAP, CONTENTS[MessageType.GAP])[0] == 1


def test_the_uplink_has_its_own_types(uplink: Chain) -> None:
    assert uplink.next(MessageType.RECEIPT, CONTENTS[MessageType.RECEIPT])[0] == 1
    with pytest.raises(WireError):
        uplink.next(MessageType.SUMMARY, CONTENTS[MessageType.SUMMARY])
    with pytest.raises(WireError):
        uplink.next(MessageType.BIRTH, CONTENTS[MessageType.BIRTH])


def test_resume_goes_on_where_the_disk_ends(sensor: Chain) -> None:
    _, first = sensor.next(MessageType.GAP, CONTENTS[MessageType.GAP])
    _, second = sensor.next(MessageType.GAP, CONTENTS[MessageType.GAP])
    again = Chain("tap-1", "ward", "sensor", BOOT, RUN, b"", 0, sensor.clock)
    again.resume(1, body_hash(first))
    assert again.next(MessageType.GAP, CONTENTS[MessageType.GAP]) == (2, second)


def test_time_is_the_clocks_and_the_run_before_is_named() -> None:
    clock = CaptureClock(5)
    chain = Chain("tap-1", "ward", "sensor", BOOT, RUN, bytes(16), 41, clock)
    clock.advance(9)
    header = _header(MessageType.GAP, chain.next(MessageType.GAP, CONTENTS[MessageType.GAP])[1])
    assert (header.mono_ns, header.wall_ns, header.clock_state, header.clock_error_ns) == (9, 9, "none", -1)
    assert (header.before_run, header.before_seq) == (bytes(16), 41)
