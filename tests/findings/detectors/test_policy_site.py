"""policy-site: social media, webmail, streaming; said by the list's words, once, and not of what people carry."""

import pytest

from agent.findings.detectors.policy_site import HEARD_MAX, PolicySites
from agent.findings.records import Finding, Severity
from agent.summaries.privacy import Pseudonyms
from tests.findings.bench import LISTS, Bench


def opens(bench: Bench, device: int, *names: str, kind: str = "tls.sni") -> list[Finding]:
    """The device opens these; the interval closes."""
    said = bench.interval(remarks=[bench.remark(device, device, (kind, name)) for name in names])
    return [found for found in said if found.id == "policy-site"]


def test_a_crash_cart_on_social_media(bench: Bench) -> None:
    cart = bench.add("clinical-workstation")
    (found,) = opens(bench, cart, "www.facebook.com", "static.xx.fbcdn.net")
    assert (found.id, found.severity) == ("policy-site", Severity.REVIEW)
    assert found.sentence == (
        "Clinical workstation 00:d0:75:18:00:00 (Maker) opened Facebook, a site of the kind social media."
    )
    assert not opens(bench, cart, "www.instagram.com"), "one category, one finding"
    assert "Gmail, a site of the kind webmail" in opens(bench, cart, "mail.google.com", kind="http.host")[0].sentence


def test_other_roles_are_an_inventory_fact(bench: Bench) -> None:
    for role in ("office-workstation", "imaging-modality", "hospital-server"):
        (found,) = opens(bench, bench.add(role), "www.youtube.com")
        assert found.severity is Severity.POSTURE


def test_a_name_that_was_only_asked_for(bench: Bench) -> None:
    cart = bench.add("clinical-workstation")
    (found,) = opens(bench, cart, "www.netflix.com", kind="dns.asks")
    assert "asked for the address of Netflix" in found.sentence


def test_opening_says_more_than_asking(bench: Bench) -> None:
    cart = bench.add("clinical-workstation")
    bench.judge(remarks=[bench.remark(cart, cart, ("dns.asks", "www.netflix.com"))])
    (found,) = opens(bench, cart, "www.netflix.com")
    assert "opened Netflix" in found.sentence


@pytest.mark.parametrize("role", ["phone", "tablet", "media-player", "voice-assistant", "network-gear", "unknown"])
def test_what_people_carry_is_their_own(bench: Bench, role: str) -> None:
    assert not opens(bench, bench.add(role), "www.facebook.com")


def test_a_gateway_passes_on_what_others_open(bench: Bench) -> None:
    assert not opens(bench, bench.add("hospital-server", gateway=True), "www.facebook.com")


def test_a_resolver_asks_for_others(bench: Bench) -> None:
    server = bench.add("hospital-server")
    assert not opens(bench, server, "www.facebook.com", kind="dns.asks")
    assert "opened Facebook" in opens(bench, server, "www.facebook.com")[0].sentence


def test_a_role_that_comes_later(bench: Bench) -> None:
    cart = bench.add("clinical-workstation", confidence=0.3)
    assert not opens(bench, cart, "www.facebook.com")
    bench.devices[cart].confidence = 0.9
    assert [found.id for found in bench.interval()] == ["policy-site"]


@pytest.mark.parametrize(
    "name",
    ["www.hospital.example", "facebook.com.hospital.example", "notfacebook.com", "", "." * 128, "\u202efacebook.com"],
)
def test_other_names(bench: Bench, name: str) -> None:
    assert not opens(bench, bench.add("clinical-workstation"), name)


def test_three_carts_are_the_wards_habit(bench: Bench) -> None:
    carts = [bench.add("clinical-workstation") for _ in range(5)]
    said = bench.interval(remarks=[bench.remark(cart, cart, ("tls.sni", "www.facebook.com")) for cart in carts])
    assert len(said) == 3
    assert "one of 3 clinical workstations within the hour" in said[2].sentence


def test_no_name_leaves(bench: Bench) -> None:
    cart = bench.add("clinical-workstation")
    (found,) = opens(bench, cart, "orsolya-quillfeather.facebook.com")
    told = Pseudonyms(bytes(32)).finding(found)
    assert "quillfeather" not in str(told).lower()
    assert {("site", "Facebook"), ("category", "social-media")} <= set(told.evidence)


def test_memory_is_bounded(bench: Bench) -> None:
    detector = bench.engine._sites = PolicySites(LISTS)
    remark = bench.remark(bench.add("unknown"), 0, ("tls.sni", "www.facebook.com"))
    bench.judge(remarks=[remark._replace(source=0x021000000000 + n) for n in range(HEARD_MAX + 50)])
    assert len(detector._heard) == HEARD_MAX
