import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock
from agent.collector.notify.courier import Courier
from agent.collector.notify.records import Message, Settings
from agent.collector.notify.webhook import Webhook
from agent.collector.store.outbox import Outbox
from agent.errors import LinkError
from tests.collector.conftest import Deliver
from tests.faults.conftest import eventually
from tests.simulators.reporter import START_NS, Reporter
from tests.simulators.webhook import WebhookReceiver

SETTINGS = Settings(group_wait_s=30, repeat_s=3600, interval_s=600, messages_max=4)


class Receiver:
    """A route made of memory; `down` refuses."""

    name = "webhook"

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.down = False

    def deliver(self, message: Message) -> None:
        if self.down:
            raise LinkError("down")
        self.taken.append(message)


@pytest.fixture
def box(store: object, tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def at(box: Outbox, receiver: Receiver, tmp_path: Path) -> Callable[[float], int]:
    """One turn of the courier, so many seconds after the records came."""
    clock = CaptureClock(START_NS)
    courier = Courier(tmp_path, [receiver], clock, SETTINGS)

    def turn(seconds: float) -> int:
        clock.now_ns = START_NS + round(seconds * NS_PER_S)
        return courier.turn(box)

    return turn


def test_one_cause_is_one_message_after_the_group_wait(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver
) -> None:
    deliver(tap.finding(), tap.finding(count=3))
    assert at(29) == 0
    assert at(31) == 1
    assert receiver.taken[0].items[0].count == 3
    assert at(32) == 0


def test_a_cause_that_goes_on_is_told_again_after_the_repeat_interval(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver
) -> None:
    deliver(tap.finding())
    at(31)
    assert at(9000) == 0  # nothing new happened
    deliver(tap.finding(count=9))
    assert at(3000) == 0
    assert at(3700) == 1
    assert receiver.taken[1].items[0].count == 9


def test_a_graver_severity_does_not_wait_for_the_repeat_interval(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver
) -> None:
    deliver(tap.finding(sev="review"))
    assert at(31) == 0  # reviews are today's list, nobody is called
    deliver(tap.finding(sev="page"))
    assert at(62) == 1
    deliver(tap.finding(sev="review"))  # never lowered
    assert receiver.taken[0].items[0].severity == "page"


def test_a_storm_is_capped_and_nothing_is_forgotten(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver
) -> None:
    deliver(*(tap.finding(cause=f"cause-{number}") for number in range(30)))
    assert at(31) == 4
    assert [message.digest for message in receiver.taken] == [False, False, False, True]
    assert sum(len(message.items) + message.left_out for message in receiver.taken) == 30
    deliver(*(tap.finding(cause=f"more-{number}") for number in range(5)))
    assert at(100) == 0  # the interval is used up
    assert at(632) == 4
    assert receiver.taken[-1].digest


def test_a_receiver_that_is_down_loses_nothing_and_is_asked_less_and_less(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver, box: Outbox
) -> None:
    deliver(tap.finding())
    receiver.down = True
    tries = 0
    for second in range(31, 1231):
        before = box.route_state("webhook").attempts
        at(second)
        tries += box.route_state("webhook").attempts - before
    assert 5 < tries < 20
    assert box.route_state("webhook").last_error == "down"
    receiver.down = False
    assert sum(at(second) for second in range(1231, 1600)) == 1
    assert box.route_state("webhook")[:3] == (0, 0, "")


def test_a_crash_between_delivery_and_note_sends_the_same_key_again(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tap.finding())

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "mark_sent", crash)
        with pytest.raises(KeyboardInterrupt):
            at(31)
    at(32)
    assert len(receiver.taken) == 2
    assert receiver.taken[0].key == receiver.taken[1].key


def test_a_repeat_while_a_message_is_under_way_stays_pending(
    tap: Reporter, deliver: Deliver, at: Callable[[float], int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tap.finding())
    plain = receiver.deliver

    def slow(message: Message) -> None:
        deliver(tap.finding(count=2))
        plain(message)

    monkeypatch.setattr(receiver, "deliver", slow)
    at(31)
    monkeypatch.setattr(receiver, "deliver", plain)
    assert at(3700) == 1
    assert receiver.taken[1].items[0].count == 2


def test_the_thread_delivers_to_a_real_receiver_that_comes_up_late(
    tap: Reporter, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Courier, "PAUSE_S", 0.02)
    deliver(tap.finding())
    with WebhookReceiver() as receiver:
        receiver.answer = 503
        quick = Settings(group_wait_s=0, retry_first_s=0.05, retry_max_s=0.1)
        courier = Courier(tmp_path, [Webhook(receiver.url, 60)], SystemClock(), quick)
        courier.start()
        assert eventually(lambda: receiver.asked >= 2)
        assert receiver.posts == []
        receiver.answer = 204
        assert eventually(lambda: len(receiver.posts) == 1)
        time.sleep(0.1)
        courier.stop()
    assert len(receiver.posts) == 1
