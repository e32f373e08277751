"""The words of a sentence."""

import pytest

from agent.findings import words


@pytest.mark.parametrize(
    ("role", "one", "many", "article"),
    [
        ("infusion-pump", "infusion pump", "infusion pumps", "an infusion pump"),
        ("pacs", "PACS", "PACS servers", "a PACS"),
        ("imaging-modality", "imaging modality", "imaging modalities", "an imaging modality"),
        ("printer", "printer", "printers", "a printer"),
        ("ip-camera", "IP camera", "IP cameras", "an IP camera"),
        ("unknown", "device of unknown role", "devices of unknown role", "a device of unknown role"),
    ],
)
def test_roles(role: str, one: str, many: str, article: str) -> None:
    assert (words.one(role), words.many(role), words.article(words.one(role))) == (one, many, article)


@pytest.mark.parametrize(
    ("protocol", "port", "text"),
    [
        (6, 445, "TCP port 445 (SMB)"),
        (6, 4444, "TCP port 4444"),
        (17, 53, "UDP port 53 (DNS)"),
        (1, 8 << 8, "ICMP type 8"),
        (58, 128 << 8, "ICMPv6 type 128"),
        (47, 0, "IP protocol 47"),
        (132, 9, "SCTP port 9"),
    ],
)
def test_services(protocol: int, port: int, text: str) -> None:
    assert words.service_text(protocol, port) == text


def test_addresses() -> None:
    assert words.address_text(0, 0xFFFF_CB007109) == "203.0.113.9"
    assert words.address_text(0x20010DB8_00000000, 1) == "2001:db8::1"
    assert words.mac_text(0x00D07518429B) == "00:d0:75:18:42:9b"
    assert words.mac_text(1 << 63 | 0xABCD) == "address-0000abcd"


def test_sentences() -> None:
    assert words.sentence("a pump did it...") == "A pump did it."
    assert words.bounded("x" * 500) == "x" * words.LABEL_MAX
    assert words.bounded("a\x00\x1b\u202e\nb") == "ab"


@pytest.mark.parametrize(
    ("span_s", "text"),
    [(0, "a second"), (-5, "a second"), (1, "a second"), (9, "9 seconds"), (119, "119 seconds"), (600, "10 minutes")],
)
def test_spans(span_s: float, text: str) -> None:
    assert words.within_text(10**18, 10**18 + int(span_s * 10**9)) == f"within {text}"


def test_times_of_a_hostile_clock() -> None:
    assert words.time_text(1_793_606_400 * 10**9) == "2026-11-02T08:00:00Z"
    assert words.time_text(-(10**18)) == "1938-04-24T22:13:20Z"
    assert words.time_text((1 << 63) - 1) == "2262-04-11T23:47:16Z"


def test_addresses_that_were_made_of_a_card() -> None:
    address = 0xFE80 << 112 | 0x66006AFFFE5B8EB3
    assert words.is_made_of(address, 0x64006A5B8EB3)
    assert not words.is_made_of(address, 0x0050B619E650)
    assert not words.is_made_of(address + 1, 0x64006A5B8EB3)
