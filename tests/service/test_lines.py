"""The JSON lines by themselves: times, ports, ICMP, fragments, links without MACs, names that stay pseudonyms."""

import json
from typing import Any

import numpy as np
import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.view import Ward
from agent.flows.records import Rows
from agent.packets.hints.records import Signal
from agent.service.lines import device_line, finding_line, flow_line, mac_or_none, seconds
from tests.devices.bench import Bench, hello, number, session, tries
from tests.flows.talks import HOSTS, START_S, Talk, ended, run
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.pcap import Frame
from tests.forge.udp import Udp
from tests.service.bench import Kept, Sensor, parts
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PUMP = ("10.1.0.101", "00:d0:75:18:42:9b")


def flow(records: Rows) -> dict[str, Any]:
    """The line of the only record."""
    (record,) = records
    told: dict[str, Any] = json.loads(flow_line(record))
    return told


def test_times_are_seconds_to_the_microsecond() -> None:
    assert seconds(1_793_606_400_123_456_789) == 1793606400.123457
    assert seconds(0) == 0


@pytest.mark.parametrize(("mac", "text"), [(0, None), (1 << 63 | 5, None), (0x00D07518429B, PUMP[1])])
def test_macs(mac: int, text: str | None) -> None:
    assert mac_or_none(mac) == text


def test_a_session() -> None:
    told = flow(ended(run(session((HOSTS[0], HOSTS[1]), 1.5))[1]))
    assert told == {
        "type": "flow", "community_id": told["community_id"], "vlan": None, "vlan_inner": None, "protocol": 6,
        "application": "unknown",
        "originator": "10.1.0.1", "originator_port": 50000, "responder": "10.1.0.2", "responder_port": 3613,
            "responder_name": None,
        "originator_mac": HOSTS[0][1], "responder_mac": HOSTS[1][1], "forward_packets": 5, "forward_octets": 216,
        "reverse_packets": 4, "reverse_octets": 172, "first": START_S + 1.5, "last": START_S + 1.5, "end_reason": 3,
        "tcp_flags_forward": 27, "tcp_flags_reverse": 27, "originator_by": "initiator", "one_sided": False,
        "forward_resent_octets": 6, "reverse_resent_octets": 4, "rtt_responder_us": 1, "rtt_originator_us": 1,
    }  # fmt: skip
    assert told["community_id"].startswith("1:")


def test_a_ping_has_type_and_code() -> None:
    talk = Talk(vlan=7)
    talk.ping(0)
    talk.ping(0, back=True)
    told = flow(ended(run(talk.frames)[1]))
    assert (told["originator_port"], told["responder_port"], told["application"], told["vlan"]) == (8, 0, "icmp", 7)
    assert (told["forward_packets"], told["reverse_packets"]) == (1, 1)


def test_a_later_fragment_has_no_ports() -> None:
    pieces = list(
        Ipv4("10.1.0.1", "10.1.0.2", UDP, ident=9).fragments(Udp(5, 6).octets("10.1.0.1", "10.1.0.2", bytes(64)), 32)
    )
    frames = [Frame(START_S * 10**9, ethernet(HOSTS[1][1], HOSTS[0][1], IPV4, piece)) for piece in pieces[1:]]
    told = flow(ended(run(frames)[1]))
    without = told["community_id"]
    talk = Talk(ports=(0, 0))
    talk.udp(0)
    assert without != flow(ended(run(talk.frames)[1]))["community_id"]


def test_a_device() -> None:
    bench = Bench().hear([hello(PUMP)])
    ward = Ward(bench.table, Identifier(Packs.load()))
    ward.promote(bench.table.take_promoted())
    ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    ward.refresh()
    slot = bench.slot(PUMP[1])
    text = device_line(bench.table, slot, ward, parts().pseudonyms, plain_names=False)
    assert "PCU-13408871" not in text
    told = json.loads(text)
    assert (told["mac"], told["ips"], told["role"], told["vlan"], told["packets"], told["octets"]) == (
        PUMP[1], ["10.1.0.101"], "infusion-pump", None, 1, 60,
    )  # fmt: skip
    assert 0 < told["confidence"] <= 1
    assert told["stats"]["sent"] == {"broadcast": {"packets": 1, "octets": 60}}
    assert (told["stats"]["sizes"], told["stats"]["gaps_us"]) == ({"0": 1}, {})
    assert (told["stats"]["arp_requests"], told["stats"]["announcements"], told["stats"]["peers"]) == (1, 1, 0)
    assert told["names"] == [parts().pseudonyms.name("PCU-13408871")]
    assert set(told["evidence"][0]) == {"signal", "value", "weight"}
    plain = json.loads(device_line(bench.table, slot, ward, parts().pseudonyms, plain_names=True))
    assert plain["names"] == ["PCU-13408871"]


def test_a_finding() -> None:
    sensor = Sensor()
    targets = [((f"10.1.0.{n}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(30, 60)]
    sensor.play([hello(PUMP), *tries(PUMP, targets, refused=True, at_s=5)])
    kept: Kept = sensor.end()
    finding = next(finding for finding in kept.findings if finding.mac == number(PUMP[1]))
    told = json.loads(finding_line(finding))
    assert told["mac"] == PUMP[1]
    assert told["severity"] in {"page", "review", "posture", "health"}
    assert told["sentence"]
    assert "\n" not in finding_line(finding)
    assert all(set(item) == {"name", "value"} for item in told["evidence"])
    assert np.isclose(told["time"], finding.time_ns / 1e9)
