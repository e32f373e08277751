"""Evidence in words."""

import pytest

from agent.summaries.privacy import GATE
from agent.wire.in_words import FAMILIES, measure, measured, reason, signal_words


@pytest.mark.parametrize(
    ("signal", "value", "told"),
    [
        ("oui", "Alaris Medical", "maker Alaris Medical"),
        ("uses", "tcp/3613", "uses tcp/3613"),
        ("dhcp.vendor", "alaris-pcu", "DHCP vendor alaris-pcu"),
        ("gateway", "", "gateway"),
        ("of.a-later-release", "x", "of a-later-release x"),
    ],
)
def test_a_signal_in_words(signal: str, value: str, told: str) -> None:
    assert reason(signal, value) == told


def test_every_family_is_one_that_may_leave() -> None:
    assert set(FAMILIES) <= {kind.partition(".")[0] for kind in GATE}
    assert signal_words("tls.sni") == "TLS sni"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("role-confidence-permille", 987, "role confidence: 99 %"),
        ("score-permille", 16635, "score: 16.6"),
        ("packets-out", 3, "packets out: 3"),
        ("peer", "203.0.113.77", "peer: 203.0.113.77"),
        ("odd-permille", "text of a later release", "odd: text of a later release"),
    ],
)
def test_a_finding_s_evidence_in_words(name: str, value: int | str, told: str) -> None:
    assert f"{measure(name)}: {measured(value, name)}" == told
