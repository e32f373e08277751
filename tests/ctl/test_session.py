from pathlib import Path

import pytest

from agent.ctl.session import Broker, Session
from agent.errors import InputError, LinkError
from tests.simulators.broker import Mosquitto, free_port

pytestmark = pytest.mark.broker


def test_what_is_said_is_heard(broker: Mosquitto) -> None:
    with (
        Session(Broker(broker.url, "one"), ["a/+"], 60) as listener,
        Session(Broker(broker.url, "two"), ["b"], 60) as speaker,
    ):
        speaker.publish("a/x", b"hello")
        speaker.publish("c/x", b"not for you")
        assert listener.next(60) == ("a/x", b"hello")
        assert listener.next(0.2) is None
        assert listener.next(-1) is None


def test_nothing_is_retained(broker: Mosquitto) -> None:
    with Session(Broker(broker.url, "one"), ["b"], 60) as speaker:
        speaker.publish("a/x", b"a command")
    with Session(Broker(broker.url, "two"), ["a/+"], 60) as late:
        assert late.next(0.3) is None


def test_a_broker_that_refuses_us_says_why(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch()
    strict = Mosquitto(tmp_path / "broker", extra=f"password_file {passwords}\n", listener="allow_anonymous false\n")
    strict.start()
    try:
        with pytest.raises(LinkError, match="refuses"), Session(Broker(strict.url, "one"), ["a"], 60):
            pass
    finally:
        strict.kill()


def test_nobody_there() -> None:
    with pytest.raises(LinkError), Session(Broker(f"mqtt://127.0.0.1:{free_port()}", "one"), ["a"], 2):
        pass


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "x", "mqtt://x:99999", "mqtt://x/y"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InputError):
        Session(Broker(url, "one"), ["a"], 1)
