"""From a kit to an entry: once, in a day, for that tap, with the fingerprint that its screen shows."""

import json

import pytest

from agent.clock import CaptureClock
from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.signing.kit import Kit, read_kit
from agent.signing.trust import load_trust
from agent.wire.types import Role

Out = pytest.CaptureFixture[str]


class Desk:
    """A lab's places, the book, a kit and the tap that took it."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.book, self.kit, self.new = lab, lab.folder / "book", lab.folder / "kit", lab.folder / "new.bin"
        self.trust = lab.operator / "trust.bin"
        self.state = lab.folder / "tap-9"

    def make(self, agent: str = "tap-9") -> int:
        words = ["enrol", "kit", agent, "--trust", str(self.trust), "--broker", "mqtt://127.0.0.1:1883"]
        return main([*words, "--book", str(self.book), "--out", str(self.kit)])

    def held(self) -> Kit:
        return read_kit(self.kit.read_bytes())

    def take(self) -> str:
        """As the tap does (agent/service is not for a desk, but a test may stand on both sides)."""
        from agent.service.enrol import enrol  # noqa: PLC0415

        return enrol(self.held(), self.state, "ward", "tap-9", CaptureClock(self.held().issued_ns))

    def accept(self, fingerprint: str) -> int:
        release = [str(self.lab.folder / "release" / f"release-{number}.key") for number in (1, 2)]
        words = ["enrol", "accept", str(self.state / "uplink" / "enrol.bin"), "--fingerprint", fingerprint]
        words += ["--book", str(self.book), "--trust", str(self.trust), "--out", str(self.new)]
        return main([*words, "--release-key", *release])


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)


def test_a_tap_is_entered_once(desk: Desk, capsys: Out) -> None:
    assert desk.make() == 0
    assert desk.kit.stat().st_mode & 0o777 == 0o600
    assert desk.held().token.hex() not in "".join(path.name + path.read_text() for path in desk.book.iterdir())
    shown = desk.take()
    assert desk.accept(shown.upper()) == 0
    assert "entered: tap-9" in capsys.readouterr().out
    table = load_trust(desk.new, desk.lab.operator / "trust-root.json")
    (entry,) = [entry for entry in table.agents() if entry.name == "tap-9"]
    assert (entry.public.fingerprint, entry.role, entry.site) == (shown, Role.AGENT, "ward")
    desk.new.unlink()
    assert desk.accept(shown) == 6, "the token is good once"
    assert "was used" in capsys.readouterr().err
    assert not desk.new.exists()


def test_another_fingerprint_enters_nothing_and_costs_no_token(desk: Desk, capsys: Out) -> None:
    desk.make()
    shown = desk.take()
    assert desk.accept("0000-0000-0000-0000") == 6
    assert not desk.new.exists()
    assert desk.accept(shown) == 0


def test_a_kit_of_yesterday(desk: Desk, capsys: Out) -> None:
    desk.make()
    shown = desk.take()
    (place,) = desk.book.iterdir()
    place.write_text(json.dumps(json.loads(place.read_text()) | {"not_after_ns": 1}))
    assert desk.accept(shown) == 6
    assert "older than a day" in capsys.readouterr().err


def test_a_token_of_another_tap(desk: Desk, capsys: Out) -> None:
    desk.make()
    shown = desk.take()
    (place,) = desk.book.iterdir()
    place.write_text(json.dumps(json.loads(place.read_text()) | {"agent": "tap-8"}))
    assert desk.accept(shown) == 6
    place.write_text("{")
    assert desk.accept(shown) == 7
    assert not desk.new.exists()


def test_a_request_that_was_changed(desk: Desk) -> None:
    desk.make()
    shown = desk.take()
    path = desk.state / "uplink" / "enrol.bin"
    octets = path.read_bytes()
    path.write_bytes(octets[:60] + bytes([octets[60] ^ 1]) + octets[61:])
    assert desk.accept(shown) == 6
    assert len(list(desk.book.iterdir())) == 1


def test_no_kit_for_a_tap_that_is_there_or_no_name(desk: Desk, capsys: Out) -> None:
    assert desk.make("tap-1") == 6
    assert desk.make("Tap 9") == 2
    assert desk.make() == 0
    assert desk.make() == 7, "never over a kit"
    assert len(list(desk.book.iterdir())) == 1
