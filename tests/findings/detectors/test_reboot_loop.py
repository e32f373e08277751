"""reboot-loop: four starts in an hour."""

from agent.devices.records import Grant
from agent.findings.records import Finding
from tests.findings.bench import Bench, S, ids

MINUTE = 60 * S


def starts(bench: Bench, mac: int, after_ns: int = 5 * MINUTE, message: str = "offer") -> list[Finding]:
    """The device asks for its address, some time later."""
    now = bench.now_ns + after_ns
    grant = Grant(now, 0xD4AE52772011, mac, message, 0x0A140105, 0x0A14010A, 0x0A140101, 0x0A14010A)
    return bench.judge(after_ns=after_ns, grants=(grant,))


def test_four_starts_in_an_hour(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    for _ in range(3):
        assert not starts(bench, bench.mac(pump))
    (found,) = starts(bench, bench.mac(pump))
    assert found.id == "reboot-loop"
    assert "asked for its address from scratch 4 times within 15 minutes" in found.sentence
    assert not starts(bench, bench.mac(pump)), "the same cause again is counted"


def test_slow_starts_are_a_devices_day(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert not [found for _ in range(40) for found in starts(bench, bench.mac(pump), 21 * MINUTE)]


def test_several_servers_offer_to_one_start(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert not [found for _ in range(12) for found in starts(bench, bench.mac(pump), S)]


def test_renewals_are_no_starts(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert not [found for _ in range(12) for found in starts(bench, bench.mac(pump), message="ack")]


def test_phones_come_and_go(bench: Bench) -> None:
    phone = bench.add("phone", mac=0x0200_0000_0001)
    assert not [found for _ in range(12) for found in starts(bench, bench.mac(phone))]


def test_a_flood_of_invented_clients_is_bounded(bench: Bench) -> None:
    for number in range(3000):
        assert not starts(bench, 0x00AA00000000 + number, S)
    assert len(bench.engine._reboots._starts) <= 1024
    assert not ids(starts(bench, 0x00AA00000000))
