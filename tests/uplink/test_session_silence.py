"""A wire that swallows everything, as the session sees it."""

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.uplink.records import KEEPALIVE_S, LinkDown, LinkUp, Published, SessionSettings, parse_broker
from agent.uplink.session import Session
from tests.simulators.broker import Mosquitto
from tests.uplink.test_session import has, until


@pytest.mark.broker
def test_a_broker_that_owes_an_answer_is_given_up_after_a_keepalive(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wire that swallows everything says nothing of it; while nothing is owed, silence is no fault."""
    monkeypatch.setattr("agent.uplink.session.CONNACK_5_S", 60.0)  # a busy machine's broker is not taken for an old one
    clock = CaptureClock(NS_PER_S)
    session = Session(SessionSettings(parse_broker(broker.url), "tap-1", ("echo/#",), connect_timeout_s=60.0), clock)
    until(session, has(LinkUp))
    session.publish("a", b"answered")
    until(session, has(Published))
    clock.sleep(3600.0)
    assert session.step(0.0) == []
    with broker.still():
        session.publish("a", b"not answered")
        clock.sleep(KEEPALIVE_S - 1.0)
        assert session.step(0.0) == []
        session.publish("a", b"what is asked later gives no more time")
        clock.sleep(1.0)
        assert session.step(0.0) == [], "who was paused finds the answer in the next step"
        assert session.step(0.0) == [LinkDown(f"the broker has acknowledged nothing for {KEEPALIVE_S} s")]
