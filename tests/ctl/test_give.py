"""Dry runs that send nothing, two people at two desks, a bundle into a file."""

import json
import zlib
from collections.abc import Iterator

import pytest

from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.signing.envelope import open_envelope
from agent.signing.roster import Trust
from agent.wire.types import MessageType
from tests.ctl.test_conversation import CommandedTap
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter

MAC = "00:d0:75:18:42:9b"
NOWHERE = "mqtt://127.0.0.1:1"
Out = pytest.CaptureFixture[str]


def words(lab: Lab, command: list[str], *keys: str, broker: str = NOWHERE, more: tuple[str, ...] = ()) -> list[str]:
    """A command line with the lab's places."""
    files = [str(lab.operator / f"{key}.key") for key in keys]
    place = ["--agent", "tap-1", "--site", "ward", "--trust", str(lab.operator / "trust.bin"), "--broker", broker]
    return [*command, *place, *(["--key", *files] if files else []), *more]


def test_a_dry_run_says_what_would_happen_and_needs_no_broker(lab: Lab, capsys: Out) -> None:
    order = words(lab, ["label-device", MAC, "Bed 3"], "operator", more=("--dry-run", "--json"))
    assert main(order) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan == {
        "name": "label-device",
        "args": {"device": MAC, "label": "Bed 3"},
        "agent": "tap-1",
        "site": "ward",
        "role": "operator",
        "signers": 1,
        "policy": "allowed by the shipped policy",
        "sent": "nothing",
    }


@pytest.mark.parametrize(
    ("command", "keys", "verdict"),
    [
        (["restart", "sensor"], ("operator",), "needs the role engineer"),
        (["record-headers", MAC], ("custodian",), "needs 2 signers"),
        (["record-headers", MAC], ("custodian", "custodian-2"), "allowed"),
        (["rotate-key"], ("custodian",), "allowed"),
    ],
)
def test_a_dry_run_says_what_the_tap_would(
    lab: Lab, capsys: Out, command: list[str], keys: tuple[str, ...], verdict: str
) -> None:
    assert main(words(lab, command, *keys, more=("--dry-run",))) == 0
    assert verdict in capsys.readouterr().out


def test_what_does_not_fit_is_not_even_signed(lab: Lab, capsys: Out) -> None:
    assert main(words(lab, ["record-headers", MAC, "--seconds", "99"], "custodian")) == 2
    assert "1 to 60" in capsys.readouterr().err


def test_two_roles_do_not_make_two_signers(lab: Lab, capsys: Out) -> None:
    assert main(words(lab, ["record-headers", MAC], "custodian", "engineer", more=("--dry-run",))) == 6
    assert "one role" in capsys.readouterr().err


@pytest.fixture
def there(tap: Reporter, trust: Trust, broker: Mosquitto) -> Iterator[CommandedTap]:
    commanded = CommandedTap(tap, trust, broker.port)
    commanded.be_born()
    yield commanded
    commanded.stop()


@pytest.mark.broker
def test_two_people_at_two_desks(lab: Lab, trust: Trust, there: CommandedTap, broker: Mosquitto, capsys: Out) -> None:
    saved = lab.folder / "order.bin"
    first = words(lab, ["record-headers", MAC], "custodian", broker=broker.url, more=("--save", str(saved)))
    assert main(first) == 0
    assert "not sent" in capsys.readouterr().out
    assert there.commands == []
    place = ["--trust", str(lab.operator / "trust.bin")]
    assert main(["countersign", str(saved), "--key", str(lab.operator / "custodian.key"), *place]) == 6
    assert "second person" in capsys.readouterr().err
    assert main(["countersign", str(saved), "--key", str(lab.operator / "custodian-2.key"), *place]) == 0
    said = capsys.readouterr().out
    assert f"device: {MAC}" in said
    assert "signed_before_by: custodian" in said
    opened = open_envelope(saved.read_bytes(), trust, expect=(MessageType.COMMAND,))
    assert [entry.name for entry in opened.signers] == ["custodian", "custodian-2"]
    assert main(words(lab, ["send", str(saved)], broker=broker.url)) == 0
    assert [command.args for command in there.commands] == [{"device": MAC, "seconds": 60}]
    assert "record-headers: done" in capsys.readouterr().out


def test_a_saved_command_that_was_changed_is_not_signed(lab: Lab, capsys: Out) -> None:
    saved = lab.folder / "order.bin"
    saved.write_bytes(b"\x94noise")
    place = ["--trust", str(lab.operator / "trust.bin")]
    assert main(["countersign", str(saved), "--key", str(lab.operator / "custodian.key"), *place]) == 6
    assert main(words(lab, ["send", str(saved)])) == 6
    assert saved.read_bytes() == b"\x94noise"
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.broker
@pytest.mark.parametrize(("octets", "code"), [(zlib.compress(b'{"about": {"version": "0"}}'), 0), (b"no zlib", 2)])
def test_a_bundle_is_written_down(lab: Lab, there: CommandedTap, broker: Mosquitto, octets: bytes, code: int) -> None:
    out = lab.folder / "bundle.json"
    there.result = {"bundle": octets, "encoding": "zlib-json"}
    order = words(lab, ["support-bundle"], "engineer", broker=broker.url, more=("--out", str(out)))
    assert main(order) == code
    assert out.exists() == (code == 0)
    if not code:
        assert json.loads(out.read_text()) == {"about": {"version": "0"}}
