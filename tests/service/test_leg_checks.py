"""What the doctor says of a leg, for each thing that can be wrong with one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service.check import Check, Level
from agent.service.egress import Drop, Egress
from agent.service.leg_checks import LegFacts, direction_checks, gather, leg_checks
from agent.tap.link import Counters, Link
from agent.tap.offloads import CUTTING, CardSettings
from tests.service.bench import leg_status, status_of
from tests.simulators.namespace import Namespace, cable

LINK = Link(3, "eth1", 1, True, True, Counters(1000, 0, 0, 0), arp=False, mtu=9000, promiscuity=1)
WELL = LegFacts(
    "eth1", LINK, (), (), (), CardSettings((4096, 4096), False), ipv6=False, wireless=False, egress=Egress(Drop.NFT, 0)
)


def told(facts: LegFacts, tx_packets: int = 0, fault: str = "") -> list[Check]:
    """Lines while a sensor runs."""
    return list(leg_checks(facts, status_of(legs=(leg_status(tx_packets=tx_packets, fault=fault),))))


def ill(checks: list[Check]) -> list[str]:
    """Lines that are not well."""
    return [str(check) for check in checks if check.level != Level.OK]


def test_a_silent_leg_that_hears_everything() -> None:
    checks = told(WELL)
    assert not ill(checks)
    assert {check.topic for check in checks} == {"leg", "silence", "offloads", "mtu", "ring"}
    assert not ill(list(leg_checks(WELL, None)))


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (WELL._replace(link=None), "fail", "no such interface"),
        (WELL._replace(wireless=True), "fail", "wireless"),
        (WELL._replace(link=LINK._replace(kind=801)), "fail", "ARPHRD 801"),
        (WELL._replace(link=LINK._replace(kind=65534)), "warn", "no MAC address"),
        (WELL._replace(link=LINK._replace(up=False)), "fail", "is down"),
        (WELL._replace(link=LINK._replace(carrier=False)), "fail", "plug the cable in"),
        (WELL._replace(link=LINK._replace(promiscuity=0)), "warn", "is not promiscuous"),
        (WELL._replace(addresses=("10.0.0.1/8", "fe80::1/64")), "fail", "10.0.0.1/8, fe80::1/64"),
        (WELL._replace(ipv6=True), "warn", "net/ipv6/conf/eth1/disable_ipv6=1"),
        (WELL._replace(link=LINK._replace(arp=True)), "warn", "arp off"),
        (WELL._replace(merging=("rx-gro", "rx-gro-hw")), "warn", "ethtool -K eth1 gro off rx-gro-hw off"),
        (WELL._replace(cutting=CUTTING), "warn", "ethtool -K eth1 tso off gso off"),
        (WELL._replace(link=LINK._replace(mtu=1400)), "warn", "mtu 1500"),
        (WELL._replace(card=CardSettings((256, 4096), False)), "warn", "ethtool -G eth1 rx 4096"),
        (WELL._replace(card=CardSettings(None, True)), "warn", "PAUSE"),
        (WELL._replace(egress=Egress(Drop.NONE)), "fail", "nothing drops"),
        (WELL._replace(egress=Egress(Drop.UNKNOWN)), "warn", "sudo"),
        (WELL._replace(egress=Egress(Drop.NFT, 5)), "warn", "5 frames were stopped"),
        (WELL._replace(link=LINK._replace(counters=Counters(0, 9, 0, 0))), "warn", "9 frames were sent since"),
    ],
)
def test_one_thing_wrong(facts: LegFacts, level: str, words: str) -> None:
    (line,) = ill(told(facts))
    assert line.startswith(level)
    assert words in line


def test_what_the_sensor_knows_counts_more() -> None:
    (line,) = ill(told(WELL, tx_packets=2))
    assert line.startswith("fail")
    assert "2 frames were sent while the sensor listened" in line
    quiet = WELL._replace(link=LINK._replace(promiscuity=0))
    assert not ill(told(quiet, fault="down")), "a leg that the sensor has lost need not be promiscuous"
    assert not ill(list(leg_checks(quiet, None)))


def test_an_ordinary_mtu_is_well_and_names_jumbo_frames() -> None:
    checks = told(WELL._replace(link=LINK._replace(mtu=1500)))
    assert not ill(checks)
    assert any("jumbo" in check.what for check in checks)


def test_directions() -> None:
    (unknown,) = direction_checks(None)
    assert unknown.level == Level.WARN
    assert all(check.level == Level.OK for check in direction_checks(status_of()))
    one = list(direction_checks(status_of(legs=(leg_status(), leg_status("eth2", frames=0)))))
    assert [check.level for check in one] == [Level.FAIL, Level.OK]
    assert "nothing was ever heard on eth2" in one[0].what
    assert one[0].kind.exit_code == 5


def test_files_of_the_kernel(tmp_path: Path) -> None:
    """Another root has another /proc and /sys; the interface is this machine's."""
    (tmp_path / "proc/sys/net/ipv6/conf/lo").mkdir(parents=True)
    (tmp_path / "proc/sys/net/ipv6/conf/lo/disable_ipv6").write_text("0\n")
    (tmp_path / "sys/class/net/lo/wireless").mkdir(parents=True)
    facts = gather("lo", tmp_path)
    assert (facts.ipv6, facts.wireless, facts.link is not None) == (True, True, True)
    other = gather("wardtap-none0", tmp_path)
    assert (other.ipv6, other.wireless, other.link, other.merging) == (False, False, None, ())


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


DOCTOR = """
from pathlib import Path
from agent.service.leg_checks import gather, leg_checks
for check in leg_checks(gather("eth1", Path("/")), None):
    print(check)
"""


@pytest.mark.root
def test_a_virtual_cable_and_nothing_is_sent(namespace: Namespace) -> None:
    namespace.run("ip", "address", "add", "192.0.2.7/25", "dev", "eth1")
    namespace.run("ethtool", "-K", "eth1", "gro", "on")
    before = namespace.transmitted("eth1")
    told = namespace.run(sys.executable, "-c", DOCTOR)
    assert namespace.transmitted("eth1") == before
    for words in ("has an address (192.0.2.7/25)", "gro off", "up, with carrier", "nothing drops what would be sent"):
        assert words in told
    namespace.link("ward", "down")
    assert "no carrier" in namespace.run(sys.executable, "-c", DOCTOR)
