"""dns-tunnel: many names below one domain that carry data; ward names, services and bulk lookups are none."""

import base64
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.findings.detectors import dns_tunnel
from agent.findings.records import Finding, Severity
from agent.summaries.privacy import Pseudonyms
from tests.findings.bench import LISTS, Bench, S, ids
from tests.findings.recorded import found_in

RNG = random.Random(20261127)


def asks(bench: Bench, device: int, names: Iterable[str], kind: str = "", gap_s: float = 1) -> list[Finding]:
    """One turn for each name that the device asks for."""
    said: list[Finding] = []
    words = (("dns.type", kind),) if kind else ()
    for name in names:
        remark = bench.remark(device, device, ("dns.asks", name), *words)
        said += bench.judge(remarks=(remark,), after_ns=int(gap_s * S))
    return said


def data(count: int, chars: int = 32, below: str = "t.example.com") -> list[str]:
    """Names as iodine and dnscat make them: base 32 below one domain."""
    octets = [RNG.randbytes(chars) for _ in range(count)]
    return [f"{base64.b32encode(o).decode().lower().rstrip('=')[:chars]}.{below}" for o in octets]


def test_data_in_names(bench: Bench) -> None:
    (found,) = asks(bench, bench.add("infusion-pump"), data(60))
    assert (found.id, found.severity) == ("dns-tunnel", Severity.PAGE)
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) asked by DNS for 40 different names below one domain within 39 "
        "seconds, 33 characters each on average, as programs do that send data in names."
    )
    assert found.attack == ("T1071.004", "T1048.003", "T1572")
    assert dict(found.evidence)["entropy-millibits-a-character"] > 4500


def test_a_device_of_another_role_is_a_review(bench: Bench) -> None:
    (found,) = asks(bench, bench.add("office-workstation"), data(60))
    assert found.severity is Severity.REVIEW


@pytest.mark.parametrize("kind", ["TXT", "NULL", "MX", "other"])
def test_few_names_by_a_type_whose_answers_hold_data(bench: Bench, kind: str) -> None:
    (found,) = asks(bench, bench.add("unknown"), [f"c.{n}.ns.example.com" for n in range(14)], kind)
    assert found.id == "dns-tunnel"
    assert f"most of them by {kind} records" in found.sentence
    assert ("record-types", kind) in found.evidence


def test_the_name_leaves_as_a_pseudonym_and_nowhere_else(bench: Bench) -> None:
    (found,) = asks(bench, bench.add("unknown"), data(60, below="quillfeather-orsolya.example"))
    told = Pseudonyms(bytes(32)).finding(found)
    assert "quillfeather" not in str(told).lower()
    assert str(dict(told.evidence)["domain"]).startswith("~")


@pytest.mark.parametrize(
    "names",
    [
        [f"ws-{n:04}.ward3.hospital.example" for n in range(200)],
        [f"DESKTOP-{RNG.randrange(1 << 30):07X}.hospital.example".lower() for _ in range(200)],
        [f"{n}.7.20.10.in-addr.arpa" for n in range(200)],
        [f"{n}.2.0.192.zen.spamhaus.org" for n in range(200)],
        [f"_ldap._tcp.site{n}._sites.dc._msdcs.hospital.example" for n in range(200)],
        [f"d{RNG.randrange(1 << 52):013x}.cloudfront.net" for _ in range(200)],
        [f"r{n}---sn-4g5e6nsz.googlevideo.com" for n in range(200)],
        [f"www.shop{n}.example" for n in range(200)],
        data(39),
        data(1) * 200,
        ["", ".", "..", "com", "\u202e" * 60, "a" * 128] * 40,
    ],
    ids=[
        "hosts",
        "drawn-hosts",
        "reverse",
        "block-list",
        "services",
        "cdn",
        "videos",
        "owners",
        "few",
        "one",
        "hostile",
    ],
)
def test_what_is_no_data(bench: Bench, names: list[str]) -> None:
    assert not asks(bench, bench.add("hospital-server"), names)


def test_texts_of_a_mail_server_and_services_are_no_data(bench: Bench) -> None:
    server = bench.add("hospital-server")
    assert not asks(bench, server, [f"_dmarc.owner{n}.example" for n in range(100)], "TXT")
    assert not asks(bench, server, [f"_ldap._tcp.dc{n}.hospital.example" for n in range(100)], "SRV")
    assert not asks(bench, server, [f"c.{n}.ns.example.com" for n in range(11)], "TXT")


def test_a_slow_one_is_not_found(bench: Bench) -> None:
    assert not asks(bench, bench.add("unknown"), data(80), gap_s=20), "thirty names in ten minutes: said in the docs"


def test_a_gateway_asks_for_others(bench: Bench) -> None:
    assert not asks(bench, bench.add("network-gear", gateway=True), data(80))


def test_who_has_no_slot_is_nobody(bench: Bench) -> None:
    bench.add("unknown")
    remark = bench.remark(0, 0, ("dns.asks", data(1)[0]))._replace(source=0x00DEAD000000)
    assert not bench.judge(remarks=(remark,) * 100)


def test_one_device_cannot_drive_out_another_nor_fill_the_memory(bench: Bench) -> None:
    quiet, loud = bench.add("infusion-pump"), bench.add("unknown")
    detector = dns_tunnel.DnsTunnels(LISTS)
    bench.engine._dns_tunnels = detector
    names = data(60)
    assert not asks(bench, quiet, names[:30])
    flood = [bench.remark(loud, loud, ("dns.asks", f"x.owner{n}.example")) for n in range(5000)]
    assert not bench.judge(remarks=flood)
    assert len(detector._asked) == 1 + dns_tunnel.DOMAINS_OF_ONE_MAX
    assert ids(asks(bench, quiet, names[30:])) == ["dns-tunnel"]


@pytest.mark.captures
@pytest.mark.parametrize(
    ("capture", "wanted"),
    [
        ("threats/dns_tunnel_iodine.pcap", {"dns-tunnel"}),
        ("threats/dns_txt_commands.pcap", {"dns-tunnel"}),
        ("threats/dns_exf_single.pcap", set()),
        ("benign/reddit.pcap", set()),
        ("benign/mixed_lan_cesnet.pcap", set()),
    ],
)
def test_captures(captures: Path, capture: str, wanted: set[str]) -> None:
    assert {found.id for found in found_in(captures / capture)} & {"dns-tunnel", "dga"} == wanted
