"""What of a host outlives its cards, and how little is believed of it."""

import pytest

from agent.devices.continuity import KNOWN_BEFORE, NATS, Continuity, inherited, lasting, lasting_duid
from agent.devices.roles import ROLES, UNKNOWN

OLD, NEW = 0x00D07518429B, 0x0025CA000001
DUID = "00010001" + "2a3b4c5d" + "00d07518429b"  # RFC 8415 section 11.2: time and link-layer address
CLIENT = "ff" + "18429b00" + DUID


@pytest.mark.parametrize(
    ("client_id", "mac", "part"),
    [
        (CLIENT, OLD, DUID),
        ("ff" + "99999999" + DUID, NEW, DUID),  # another interface of the same host
        ("01" + "00d07518429b", OLD, ""),
        ("01" + "00d07518429b", NEW, ""),
        ("00" + b"PCU-13408871".hex(), OLD, "00" + b"PCU-13408871".hex()),
        ("00" + "00d07518429b", OLD, ""),  # its own card under another type
        ("ff0102030405", OLD, ""),
        ("00", OLD, ""),
        ("0", OLD, ""),
        ("", OLD, ""),
        ("zz" * 8, OLD, ""),
        ("00112", OLD, ""),
    ],
)
def test_what_lasts(client_id: str, mac: int, part: str) -> None:
    assert lasting(client_id, mac) == part


def test_the_card_before_is_told_once_it_is_another() -> None:
    hosts = Continuity()
    assert hosts.claim(lasting(CLIENT, OLD), OLD) == 0
    assert hosts.claim(lasting(CLIENT, OLD), OLD) == 0
    assert hosts.claim(lasting("ff00000000" + DUID, NEW), NEW) == OLD
    assert hosts.claim(lasting(CLIENT, NEW), NEW) == 0
    assert hosts.claim(lasting("0100d07518429b", NEW), NEW) == 0


@pytest.mark.parametrize("duid", ["", "0001", "zz" * 8, "00040000000000000000", "000"])
def test_what_is_no_duid_of_one_host(duid: str) -> None:
    """Too short, no number, or a number that nobody filled in."""
    assert lasting_duid(duid) == ""
    assert Continuity().claim(lasting_duid(duid), OLD) == 0


def test_a_host_is_the_same_under_dhcpv4_and_dhcpv6() -> None:
    hosts = Continuity()
    assert hosts.claim(lasting(CLIENT, OLD), OLD) == 0
    assert hosts.claim(lasting_duid(DUID), NEW) == OLD
    assert hosts.claim(lasting(CLIENT, OLD), OLD) == NEW
    assert hosts.claim(lasting_duid(DUID), OLD) == 0


def test_memory_is_bounded_and_the_oldest_goes() -> None:
    hosts = Continuity(hosts_max=3)
    for n in range(5):
        hosts.claim(lasting(f"ff00000000{n:016x}", OLD), OLD)
    assert hosts.claim(lasting(f"ff00000000{0:016x}", NEW), NEW) == 0
    assert hosts.claim(lasting(f"ff00000000{4:016x}", NEW), NEW) == OLD


def test_it_says_no_more_than_a_maker_does() -> None:
    assert inherited(UNKNOWN) is None
    assert inherited("pump") is None
    for role in ROLES[:-1]:
        vote = inherited(role)
        assert vote is not None
        assert (vote.value, vote.roles, vote.is_token) == (KNOWN_BEFORE, {role: NATS}, True)
        assert vote is inherited(role), "one object for each: sets of facts are told apart by it"
