"""What a person types becomes arguments of the command's form; what does not fit is refused before it is signed."""

import argparse

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.commands.forms import FORMS, fits
from agent.ctl.asks import ASKS
from agent.errors import InputError

MAC = "00:D0:75:18:42:9B"
NOW_S = 1_790_000_000
TYPED: dict[str, list[str]] = {
    "status": [],
    "self-test": [],
    "rebirth": [],
    "resend": ["sensor", "00" * 16, "1", "9"],
    "set-learning": ["freeze", "--role", "printer"],
    "change-window": ["--role", "*", "--hours", "4"],
    "label-device": [MAC, "Bed 3"],
    "suppress": ["new-edge", "--device", MAC, "--severity", "review", "--days", "30", "--why", "ticket 4711"],
    "unsuppress": ["AB" * 16],
    "record-headers": [MAC],
    "restart": ["sensor"],
    "quiesce": ["--seconds", "60"],
    "hold": ["theatre 3"],
    "release-hold": [],
    "support-bundle": [],
    "rotate-key": [],
    "update-to": ["0.2.0-0a1b2c3d"],
}


def args_of(name: str, words: list[str]) -> dict[str, object]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    ASKS[name].options(parser)
    return ASKS[name].args(parser.parse_args(words), CaptureClock(NOW_S * NS_PER_S))


def test_every_command_can_be_typed() -> None:
    assert set(ASKS) == set(FORMS)
    assert set(TYPED) == set(ASKS)


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_fits_the_form(name: str) -> None:
    assert fits(name, args_of(name, TYPED[name])) == ""


def test_a_window_is_in_seconds_of_the_wall_clock() -> None:
    args = args_of("change-window", ["--role", "printer", "--in-hours", "1", "--hours", "0.5"])
    assert args == {"role": "printer", "start_s": NOW_S + 3600, "end_s": NOW_S + 5400}


def test_a_suppression_says_only_what_was_typed() -> None:
    args = args_of("suppress", TYPED["suppress"])
    assert args == {
        "finding": "new-edge", "device": MAC.lower(), "severity": "review", "hours": 720, "why": "ticket 4711",
    }  # fmt: skip
    words = [
        "new-edge",
        "--role",
        "printer",
        "--peer",
        "10.0.0.0/8",
        "--protocol",
        "tcp",
        "--port",
        "22",
        "--hours",
        "8",
    ]
    args = args_of("suppress", [*words, "--severity", "page", "--why", "x"])
    assert args == {
        "finding": "new-edge", "role": "printer", "peer": "10.0.0.0/8", "protocol": "tcp", "port": 22, "hours": 8,
        "severity": "page", "why": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("suppress", ["x", "--device", MAC, "--severity", "page", "--days", "367", "--why", "x"]),
        ("suppress", ["x", "--device", "printer", "--severity", "page", "--days", "1", "--why", "x"]),
        ("unsuppress", ["all"]),
        ("change-window", ["--role", "*", "--hours", "1000"]),
        ("label-device", ["printer", "x"]),
        ("label-device", [MAC, "x" * 41]),
        ("record-headers", [MAC, "--seconds", "61"]),
        ("quiesce", ["--seconds", "5"]),
        ("hold", [""]),
        ("resend", ["sensor", "00", "1", "9"]),
    ],
)
def test_what_does_not_fit_is_said(name: str, words: list[str]) -> None:
    assert fits(name, args_of(name, words)).startswith("arguments: ")


def test_a_run_is_hex() -> None:
    with pytest.raises(InputError):
        args_of("resend", ["sensor", "zz", "1", "9"])
