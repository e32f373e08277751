import pytest

from agent.collector.names import address, scope, service


@pytest.mark.parametrize(
    ("protocol", "port", "shown"),
    [
        (6, 445, "tcp 445 (smb)"),
        (17, 445, "udp 445"),
        (1, 8 << 8, "icmp type 8 code 0"),
        (58, (135 << 8) | 1, "icmpv6 type 135 code 1"),
        (132, 1, "sctp 1"),
        (200, 0, "ip 200 0"),
    ],
)
def test_services(protocol: int, port: int, shown: str) -> None:
    assert service(protocol, port) == shown


def test_scopes() -> None:
    assert (scope(2), scope(200)) == ("internet", "scope 200")


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (bytes([10, 0, 0, 1]), "10.0.0.1"),
        (bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 1]), "10.0.0.1"),
        (bytes.fromhex("fe80" + "00" * 13 + "01"), "fe80::1"),
        (b"", ""),
        (b"\x01\x02", "0102"),
    ],
)
def test_addresses(octets: bytes, shown: str) -> None:
    assert address(octets) == shown
