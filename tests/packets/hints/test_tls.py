"""TLS hellos: names, versions, JA3 and JA4; and what tshark says of the same hellos."""

import hashlib
import struct
from pathlib import Path

import pytest

from agent.packets.hints import tls
from agent.packets.hints.records import Signal
from tests.forge import tls as forge
from tests.packets.hints.payloads import client_hello
from tests.packets.hints.tshark import fields

RESERVED = [number << 12 | 0xA00 | number << 4 | 0x0A for number in range(16)]


def told(payload: bytes) -> dict[str, str]:
    """Values by kind."""
    return {signal.kind: signal.value for signal in tls.read(payload)}


def extension(kind: int, body: bytes = b"") -> bytes:
    """One extension."""
    return struct.pack(">HH", kind, len(body)) + body


def numbers(*listed: int) -> bytes:
    """A list of 16-bit numbers with its length."""
    return struct.pack(f">H{len(listed)}H", 2 * len(listed), *listed)


def hello(suites: list[int], extensions: bytes, version: int = 0x0303) -> bytes:
    """A ClientHello of parts."""
    body = struct.pack(">H", version) + bytes(32) + b"\0" + numbers(*suites) + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    return forge.record(22, b"\1" + len(body).to_bytes(3, "big") + body)


# The suites, extensions and signatures that FoxIO's description of JA4 takes as its example (a Chrome of 2023).
CHROME = hello(
    [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x9C, 0x9D, 0x2F, 0x35],
    extension(0, b"\0\x0b\0\0\x08a.exampl")
    + b"".join(extension(kind) for kind in (0x17, 0xFF01))
    + extension(0x0A, numbers(29, 23, 24))
    + extension(0x0B, b"\1\0")
    + extension(0x23)
    + extension(0x10, b"\0\x0c\2h2\x08http/1.1")
    + extension(5, b"\1\0\0\0\0")
    + extension(0x0D, numbers(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))
    + extension(0x12)
    + extension(0x33)
    + extension(0x2D, b"\1\1")
    + extension(0x2B, b"\4\3\4\3\3")
    + extension(0x1B, b"\2\0\2")
    + extension(0x4469)
    + extension(0x15, bytes(100)),
)


def test_name_and_highest_version_without_grease() -> None:
    found = told(client_hello("EHR.StMargaret.example"))
    assert (found["tls.sni"], found["tls.version"]) == ("ehr.stmargaret.example", "1.3")


def test_an_old_client() -> None:
    assert told(client_hello("x.example", versions=(), legacy=0x0301))["tls.version"] == "1.0"


def test_a_name_with_other_letters_is_left_out() -> None:
    assert "tls.sni" not in told(client_hello("a b<c>"))


def test_a_server_is_silent() -> None:
    made = client_hello("x.example")
    assert tls.read(made[:5] + b"\2" + made[6:]) == []


def test_the_published_ja4() -> None:
    assert told(CHROME)["tls.ja4"] == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_ja3_is_the_hash_of_its_text() -> None:
    suites = "4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53"
    text = f"771,{suites},0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17513-21,29-23-24,0"
    assert told(CHROME)["tls.ja3"] == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_the_forged_client_s_fingerprints() -> None:
    """Golden: worked out by hand from the fields of `tests/forge/tls.py`; the JA3 is what tshark gives."""
    found = told(forge.client_hello("ehr.example", bytes(32)))
    assert found["tls.ja4"] == "t13d0707h1_" + _short("1301,1302,1303,c02b,c02c,c02f,c030") + "_" + _short(
        "000a,000b,000d,002b,0033_0403,0804,0401"
    )
    text = "771,4865-4866-4867-49195-49199-49196-49200,0-10-11-13-16-43-51,29-23-24,0"
    assert found["tls.ja3"] == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert found["tls.alpn"] == "http/1.1"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def test_reserved_numbers_count_nowhere() -> None:
    plain = hello(
        [0x1301, 0x2F], extension(0x0A, numbers(29)) + extension(0x0D, numbers(0x0403)) + extension(0x2B, b"\2\3\4")
    )
    for number in RESERVED:
        greased = hello(
            [number, 0x1301, 0x2F],
            extension(number)
            + extension(0x0A, numbers(number, 29))
            + extension(0x0D, numbers(number, 0x0403))
            + extension(0x2B, b"\4" + struct.pack(">HH", number, 0x0304))
            + extension(number, b"\0"),
        )
        assert tls.read(greased) == tls.read(plain)


@pytest.mark.parametrize(
    ("protocol", "ends"), [(b"h2", "h2"), (b"h", "hh"), (b"http/1.1", "h1"), (b"\xab\xcd", "ad"), (b"a\xff", "6f")]
)
def test_the_first_protocol_s_ends(protocol: bytes, ends: str) -> None:
    body = struct.pack(">HB", len(protocol) + 1, len(protocol)) + protocol
    assert told(hello([0x1301], extension(0x10, body)))["tls.ja4"][8:10] == ends


def test_nothing_to_hash() -> None:
    assert told(hello([], b""))["tls.ja4"] == "t12i000000_000000000000_000000000000"
    assert told(hello([0x1301], b"", 0x0301))["tls.ja4"].startswith("t10i010000_")


def test_a_thousand_suites() -> None:
    made = hello(list(range(0x1000, 0x1000 + 1000)), extension(0x2B, b"\2\3\4"))
    assert told(made)["tls.ja4"].startswith("t13i9901")


def test_what_is_cut_has_no_fingerprint_but_says_what_stood_before_the_cut() -> None:
    for size in range(len(CHROME)):
        found = told(CHROME[:size])
        assert "tls.ja3" not in found
        assert "tls.ja4" not in found
    assert told(CHROME[:-100])["tls.sni"] == "a.exampl"


def test_lengths_that_lie_give_no_fingerprint() -> None:
    for at in (6, 7, 8, 44, 45, len(CHROME) - 102):
        for value in (0x00, 0x7F, 0xFF):
            lying = CHROME[:at] + bytes([value]) + CHROME[at + 1 :]
            assert lying == CHROME or "tls.ja3" not in told(lying)


def test_a_record_shorter_than_its_hello_gives_no_fingerprint() -> None:
    assert "tls.ja3" not in told(CHROME[:3] + b"\0\x40" + CHROME[5:])


def test_the_version_a_server_chose() -> None:
    assert tls.read_server(forge.server_hello(bytes(32))) == [Signal("tls.chosen", "1.3")]
    assert tls.read_server(forge.server_hello(bytes(32), version=forge.TLS_1_2)) == [Signal("tls.chosen", "1.2")]
    assert tls.read_server(forge.server_hello(bytes(32), version=forge.TLS_1_0)) == [Signal("tls.chosen", "1.0")]
    assert tls.read_server(CHROME) == []


def _ja4(row: list[list[str]]) -> str:
    """JA4 of tshark's fields: a second way to the same text."""
    kinds, suites, _, protocols, versions, old, signatures = row
    clean = [[int(v, 0) for v in column] for column in (kinds, suites, versions, signatures)]
    real, ciphers, offered, signed = ([v for v in column if v not in RESERVED] for column in clean)
    highest = max(offered or [int(old[0], 0)])
    said = ",".join(sorted(f"{v:04x}" for v in real if v not in {0, 16}))
    said += "_" + ",".join(f"{v:04x}" for v in signed) if signed else ""
    alpn = protocols[0][0] + protocols[0][-1] if protocols else "00"
    head = f"t{ {0x304: '13', 0x303: '12', 0x302: '11', 0x301: '10', 0x300: 's3'}[highest] }{'d' if 0 in real else 'i'}"
    head += f"{min(len(ciphers), 99):02d}{min(len(real), 99):02d}{alpn}"
    return f"{head}_{_short(','.join(sorted(f'{v:04x}' for v in ciphers)))}_{_short(said)}"


FIELDS = (
    "tls.handshake.extension.type", "tls.handshake.ciphersuite", "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str", "tls.handshake.extensions.supported_version", "tls.handshake.version",
    "tls.handshake.sig_hash_alg",
)  # fmt: skip


@pytest.mark.captures
@pytest.mark.parametrize("group", ["identity", "benign", "threats", "clinical", "medical", "format"])
def test_tshark_says_the_same(captures: Path, group: str) -> None:
    same = 0
    for path in sorted((captures / group).glob("*.pcap*")):
        for payload, ja3, *row in fields(
            path, "tls.handshake.type==1 && tcp", "tcp.payload", "tls.handshake.ja3", *FIELDS
        ):
            raw = bytes.fromhex(payload[0]) if payload else b""
            found = told(raw)
            if "tls.ja3" not in found:  # in several segments, or not at the start of one: see docs/hints.md
                assert raw[:1] != b"\x16" or len(raw) < 9 + int.from_bytes(raw[6:9], "big")
                continue
            same += 1
            assert (found["tls.ja3"], found["tls.ja4"]) == (ja3[0], _ja4(row)), path.name
            assert found.get("tls.sni", "") in {name.lower() for name in row[2]} | {""}
    assert same > 0


@pytest.mark.captures
def test_the_ja4_that_its_makers_published_for_this_capture(captures: Path) -> None:
    (row,) = (
        row
        for row in fields(captures / "format" / "pcapng_secrets.pcapng", "tls.handshake.type==1 && tcp", "tcp.payload")
    )
    assert told(bytes.fromhex(row[0][0]))["tls.ja4"] == "t13d1516h2_8daaf6152771_e5627efa2ab1"


@pytest.mark.captures
def test_tshark_says_the_same_of_servers(captures: Path) -> None:
    same = 0
    words = {"0x0304": "1.3", "0x0303": "1.2", "0x0302": "1.1", "0x0301": "1.0", "0x0300": "ssl3"}
    for path in sorted((captures / "identity").glob("*.pcap*")):
        for payload, old, new in fields(
            path, "tls.handshake.type==2 && tcp", "tcp.payload", "tls.handshake.version",
            "tls.handshake.extensions.supported_version",
        ):  # fmt: skip
            found = tls.read_server(bytes.fromhex(payload[0])) if payload else []
            if found:
                same += 1
                assert found[0].value == words[(new or old)[0]], path.name
    assert same > 10
