"""Errors are one line with where, what and what to do; each kind has its exit code."""

import pytest

from agent import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2), (errors.ConfigError("x"), 2), (errors.PermissionNeeded("x"), 4),
        (errors.LinkError("x"), 5), (errors.Refused("x", reason="r"), 6), (errors.WireError("x", reason="r"), 6),
        (errors.StateError("x"), 7), (errors.WardtapError("x"), 1),
    ],
)  # fmt: skip
def test_exit_codes(error: errors.WardtapError, code: int) -> None:
    assert error.exit_code == code
    assert isinstance(error, errors.WardtapError)


def test_text() -> None:
    assert str(errors.InputError("cut")) == "cut"
    assert str(errors.InputError("cut", where="a.pcap")) == "a.pcap: cut"
    assert str(errors.InputError("cut", where="a.pcap", todo="capture again")) == "a.pcap: cut (capture again)"


def test_a_refusal_has_a_reason() -> None:
    refused = errors.Refused("no", reason="bad-signature", where="here", todo="sign")
    assert (refused.reason, refused.what, refused.where, refused.todo) == ("bad-signature", "no", "here", "sign")
