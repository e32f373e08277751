"""The list of addresses: read whole or refused with its place."""

import pytest

from agent.errors import ConfigError
from agent.findings.contracts import shipped_folder
from agent.findings.known_bad_file import NETWORKS_MAX, parse_known_bad
from tests.findings.bench import split

GOOD = '[[network]]\nnetwork = "{}"\nwhat = "x"\nsource = "y"\n'


def test_the_shipped_list() -> None:
    (entry,) = parse_known_bad((shipped_folder() / "known-bad.toml").read_text())
    assert str(entry.network) == "202.114.4.0/24"


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("202.114.4.0/24", ["202.114.4.0", "202.114.4.255"], ["202.114.5.0", "::ca72:400", "10.0.0.1"]),
        ("0.0.0.0/0", ["1.2.3.4"], ["2001:db8::1"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::"], ["2001:db9::1", "1.2.3.4"]),
        ("2001:db8::7/128", ["2001:db8::7"], ["2001:db8::8"]),
    ],
)
def test_which_addresses_a_network_holds(network: str, inside: list[str], outside: list[str]) -> None:
    (entry,) = parse_known_bad(f'version = "1"\n{GOOD.format(network)}')
    base_hi, base_lo, mask_hi, mask_lo = entry.masked()
    for address in inside + outside:
        hi, lo = split(address)
        assert ((hi & mask_hi, lo & mask_lo) == (base_hi, base_lo)) == (address in inside), address


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        GOOD.format("10.0.0.0/8"),
        f'version = "1"\n{GOOD.format("10.0.0.1/8")}',
        f'version = "1"\n{GOOD.format("x")}',
        'version = "1"\n[[network]]\nnetwork = "10.0.0.0/8"\nwhat = "x"\n',
        'version = "1"\n[[network]]\nnetwork = "10.0.0.0/8"\nwhat = ""\nsource = "y"\n',
        f'version = "1"\n[[network]]\nnetwork = "10.0.0.0/8"\nwhat = "{"x" * 999}"\nsource = "y"\n',
        'version = "1"\nnetwork = 5\n',
        f'version = "1"\n{GOOD.format("10.0.0.0/8") * (NETWORKS_MAX + 1)}',
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_known_bad(text)
