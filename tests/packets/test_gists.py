"""The slow twin of a gist is the reader itself: where two payloads have one gist, the reader says the same of both."""

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from agent.packets import budgets
from agent.packets import kernels_news as news
from agent.packets.hints import READERS
from agent.packets.records import PACKET, HintKind
from agent.tap.records import FRAME
from tests.forge import bedside, dhcp, tls
from tests.packets.hints.payloads import PAYLOADS
from tests.packets.hints.samples import HELLO_OF_A_METER, LINUX_OPTIONS, RESULT_OF_A_METER, SOAP, ber, snmp, syn
from tests.simulators.bursts import HASHES, MARGIN, SECRET, THIN

pytestmark = HASHES
# Kinds whose gist is not simply the payload.
SHORT = (
    HintKind.DNS_QUERY, HintKind.DNS_ANSWER, HintKind.LLMNR, HintKind.NETBIOS, HintKind.DHCP, HintKind.SNMP,
    HintKind.INTELLIVUE, HintKind.NTP, HintKind.QUIC, HintKind.MODBUS, HintKind.TLS_CLIENT, HintKind.TLS_SERVER,
    HintKind.TCP_SYN, HintKind.ND, HintKind.BACNET, HintKind.SMB_EXPLOIT, HintKind.SDC,
    HintKind.POCT1A,
)  # fmt: skip
SEEN = 1 << 12


class Ear:
    """`select_hints` for one payload at a time."""

    def __init__(self) -> None:
        self.seen = np.zeros(SEEN, np.uint64)
        self.budget = np.zeros(budgets.BUDGET_SIZE, np.int64)
        self.chosen = np.zeros((1, 3), np.int64)
        self.held = 0

    def is_news(self, kind: HintKind, payload: bytes) -> bool:
        """Whether it is, with all the budget there is."""
        row, frame = np.zeros(1, PACKET), np.zeros(1, FRAME)
        left, data = (payload[0], payload[1:]) if kind is HintKind.TCP_SYN and payload else (0, payload)
        octets = np.frombuffer(bytearray(b"\xee" * MARGIN + data + b"\xee" * MARGIN), np.uint8)
        row["hint"], row["src_mac"], row["ttl"] = kind, 7, left
        row["payload"], row["payload_caplen"] = MARGIN, len(data)
        if kind is HintKind.TCP_SYN:
            row["payload"] = MARGIN + len(data)
            row["src_port"], row["dst_port"] = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
            row["tcp_seq"] = int.from_bytes(data[4:8], "big")
        elif kind is HintKind.ND:
            row["payload"], row["payload_caplen"] = MARGIN + 8, max(len(data) - 8, 0)
        self.budget[:] = self.held = 10
        n = news.select_hints(
            frame, row, np.zeros(1, np.int64), octets[: MARGIN + len(data)], np.ones(64, np.uint8), self.seen,
            np.zeros(1, np.int64), np.zeros((64, 2), np.int64), np.array(SECRET, np.uint64), self.budget, self.chosen,
        )  # fmt: skip
        return n == 1


def damaged(payload: bytes, rng: random.Random) -> Iterator[bytes]:
    """Every octet changed in some ways, then several at once, then cuts."""
    for at in range(len(payload)):
        for value in (payload[at] ^ 1, payload[at] ^ 0x80, rng.randrange(256)):
            yield payload[:at] + bytes([value]) + payload[at + 1 :]
    for _ in range(200 // THIN):
        copy = bytearray(payload)
        for _ in range(rng.randint(2, 6)):
            copy[rng.randrange(len(copy))] = rng.randrange(256)
        yield bytes(copy)
    yield from (payload[:size] for size in range(12, len(payload)))


def said(kind: HintKind, payload: bytes) -> list[object]:
    """What the reader says; the order of extensions, which JA3 has and clients shuffle, is not in the gist."""
    return [s for s in READERS[kind](payload) if s.kind != "tls.ja3"]


@pytest.mark.parametrize("kind", SHORT)
def test_one_gist_one_saying(kind: HintKind) -> None:
    rng = random.Random(kind.name)
    for payload in PAYLOADS[kind]:
        for other in list(damaged(payload, rng))[::THIN]:
            ear = Ear()
            ear.is_news(kind, payload)
            if not ear.is_news(kind, other) and ear.budget[budgets.REPEATED] > ear.held:
                assert said(kind, other) == said(kind, payload), other.hex()


@pytest.mark.parametrize("kind", sorted(set(READERS)))
def test_what_was_said_is_no_news(kind: HintKind) -> None:
    ear = Ear()
    for payload in PAYLOADS[kind]:
        if len(payload) >= 8 or kind >= HintKind.FTP_LOGIN:
            ear.is_news(kind, payload)
            assert not ear.is_news(kind, payload)


UPTIME = snmp(0xA2, value=ber(0x43, b"x")).replace(b"\2\1\1\2\0", b"\2\1\1\3\0")  # sysUpTime.0
METRIC = SOAP % b"StateEventService/EpisodicMetricReport" + b"<msg:Value>17</msg:Value>"
FRESH: list[tuple[HintKind, bytes, list[int]]] = [  # octets that are new in each message
    (HintKind.DNS_QUERY, PAYLOADS[HintKind.DNS_QUERY][0], [0, 1]),
    (HintKind.DHCP, PAYLOADS[HintKind.DHCP][0], [4, 5, 6, 7, 8, 9]),
    (HintKind.TLS_CLIENT, tls.client_hello("ehr.example", bytes(32)), [11, 20, 42, 44, 60, 75]),
    (HintKind.TLS_SERVER, tls.server_hello(bytes(32)), [11, 20, 42]),
    (HintKind.TCP_SYN, syn(LINUX_OPTIONS), [1, 2, 5, 6, 7, 8, 17, 18, 29, 30, 33]),
    (HintKind.NTP, PAYLOADS[HintKind.NTP][0], [2, 4, 20, 40, 47]),
    (HintKind.SNMP, UPTIME, [23, 24, len(UPTIME) - 1]),
    (HintKind.MODBUS, PAYLOADS[HintKind.MODBUS][0], [0, 1, 8, 9]),
    (HintKind.QUIC, PAYLOADS[HintKind.QUIC][0], [6, 7, 20]),
    (HintKind.FTP_LOGIN, b"PASS", [0, 1]),
    (HintKind.BACNET, bedside.read_property(7, 0, 1), [8, 10, 11, 12]),
    (HintKind.POCT1A, HELLO_OF_A_METER, [HELLO_OF_A_METER.index(b"7135"), HELLO_OF_A_METER.index(b":00:00") + 1]),
    (HintKind.POCT1A, RESULT_OF_A_METER, [RESULT_OF_A_METER.index(b"104"), RESULT_OF_A_METER.index(b"WT77")]),
    (HintKind.SDC, METRIC, [len(METRIC) - 14, len(METRIC) - 13]),
]


@pytest.mark.parametrize(("kind", "payload", "places"), FRESH)
def test_what_is_new_in_each_message_is_no_news(kind: HintKind, payload: bytes, places: list[int]) -> None:
    ear = Ear()
    assert ear.is_news(kind, payload)
    for at in places:
        assert not ear.is_news(kind, payload[:at] + bytes([payload[at] ^ 0x55]) + payload[at + 1 :]), at


def test_each_answer_of_a_dhcp_server_is_news() -> None:
    """A device that starts again and again is given the same lease each time, under another number."""
    ear = Ear()
    offer = dhcp.Dhcp(dhcp.OFFER, "00:d0:75:18:60:3e", 7, {}, yours="10.1.1.2", server="10.1.1.1")
    assert ear.is_news(HintKind.DHCP, offer.octets())
    assert not ear.is_news(HintKind.DHCP, offer.octets())
    assert ear.is_news(HintKind.DHCP, replace(offer, transaction=8).octets())


def test_clients_that_shuffle_their_extensions_are_told_once() -> None:
    one = tls.client_hello("ehr.example", bytes(32))
    at = one.index(b"\0\x0a\0\x08")
    first, second = one[at : at + 12], one[at + 12 : at + 18]
    assert second.startswith(b"\0\x0b\0\2")
    ear = Ear()
    assert ear.is_news(HintKind.TLS_CLIENT, one)
    assert not ear.is_news(HintKind.TLS_CLIENT, one.replace(first + second, second + first))


@pytest.mark.parametrize("kind", sorted(READERS))
def test_any_octets_are_safe(kind: HintKind) -> None:
    rng = random.Random(kind.name)
    for size in range(0, 120, 1 if THIN == 1 else 7):
        Ear().is_news(kind, rng.randbytes(size))
