"""Evidence in words."""

import pytest

from agent.summaries.privacy import GATE
from agent.wire.signal_words import FAMILIES, reason, signal_words


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
