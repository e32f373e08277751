"""The technique map: data with its version, checked."""

import pytest

from agent.errors import ConfigError
from agent.findings.attack import parse_attack


def test_a_good_map() -> None:
    found = parse_attack('version = "v1"\n[techniques]\nport-scan = ["T1046", "T1021.002"]\n')
    assert found.version == "v1"
    assert found.of("port-scan") == ("T1046", "T1021.002")
    assert found.of("capture-loss") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 1\n[techniques]\n",
        'version = "v1"',
        'version = "v1"\nextra = 1\n[techniques]\n',
        'version = "v1"\n[techniques]\na = "T1046"',
        'version = "v1"\n[techniques]\na = []',
        'version = "v1"\n[techniques]\na = ["T46"]',
        'version = "v1"\n[techniques]\na = ["T1046 "]',
        'version = "v1"\n[techniques]\na = [1]',
        "a = [",
        "x = " + "[" * 3000,
    ],
)
def test_refusals(text: str) -> None:
    with pytest.raises(ConfigError, match=r"attack\.toml"):
        parse_attack(text)
