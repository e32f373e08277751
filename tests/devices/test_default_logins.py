"""Products that are shipped with public credentials: which devices fit, and what is refused."""

from typing import Any

import pytest

from agent.devices.default_logins import BY_BANNER, BY_MAKER, FILE, LOGINS_MAX, OFFERS, DefaultLogins
from agent.devices.identity import Identifier
from agent.devices.packs import PACKS_FOLDER, Packs
from agent.devices.records import EdgeDirection
from agent.kept_toml import parse_toml
from agent.packets.hints.records import Signal
from agent.packets.records import Application

PACKS = Packs.load()
LOGINS = PACKS.posture.logins
TABLE = parse_toml((PACKS_FOLDER / FILE).read_text("utf-8"))
SMITHS, TUBES, DELL = 0x001A0100000B, 0x0022DB00000C, 0xD4AE52772011
BANNER = {"id": "X-1", "product": "P", "signal": "http.server", "token": "p-web", "source": "s"}
MAKER = {
    "id": "X-2", "product": "Q", "makers": ["M"], "roles": ["infusion-pump"], "services": ["tcp/23"], "source": "s",
}  # fmt: skip


@pytest.fixture
def who() -> Identifier:
    return Identifier(PACKS)


def test_a_banner_names_its_product(who: Identifier) -> None:
    who.observe(DELL, Signal("http.server", "MoxaHttp/2.2"), 0)
    (login,) = who.posture(DELL).default_logins
    assert (login.source, login.shown_by, login.match) == ("CVE-2016-1529", "http.server", BY_BANNER)
    who.observe(DELL, Signal("http.server", "DNVRS-Webs"), 0)
    assert {login.source for login in who.posture(DELL).default_logins} == {"CVE-2016-1529", "Hikvision-2017-03-02"}


def test_another_web_server_names_none(who: Identifier) -> None:
    for value in ("Apache", "not MoxaHttp", "Microsoft-IIS/10.0", "alphapd", "App-webs/"):
        who.observe(DELL, Signal("http.server", value), 0)
    assert who.posture(DELL).default_logins == ()


@pytest.mark.parametrize(
    ("mac", "port", "source"),
    [(SMITHS, 23, "ICSMA-17-250-02"), (SMITHS, 21, "ICSMA-17-250-02"), (TUBES, 23, "ICSMA-21-215-01")],
)
def test_a_maker_s_device_that_offers_the_service(who: Identifier, mac: int, port: int, source: str) -> None:
    who.see(mac)
    assert who.posture(mac).default_logins == (), "it offers nothing yet"
    who.observe_edge(mac, EdgeDirection.ORIGINATES, 6, port, Application.UNKNOWN)
    assert who.posture(mac).default_logins == (), "it uses the service, it does not offer it"
    who.observe_edge(mac, EdgeDirection.RESPONDS, 6, port, Application.UNKNOWN)
    (login,) = who.posture(mac).default_logins
    assert (login.source, login.shown_by, login.match) == (source, f"tcp/{port}", BY_MAKER)


def test_another_service_maker_or_role_fits_none() -> None:
    facts = {(OFFERS, "tcp/23")}
    assert LOGINS.about(facts, "Smiths Medical", "infusion-pump")
    assert not LOGINS.about({(OFFERS, "tcp/443")}, "Smiths Medical", "infusion-pump")
    assert not LOGINS.about({("uses", "tcp/23")}, "Smiths Medical", "infusion-pump")
    assert not LOGINS.about(facts, "Smiths Medical", "unknown")
    assert not LOGINS.about(facts, "Dell", "infusion-pump")


def test_each_line_names_where_it_was_read_and_a_line_of_the_other_packs() -> None:
    rows = TABLE["defaults"]["rows"]
    assert {row["source"] for row in rows} == set(TABLE["sources"])
    assert len({row["id"] for row in rows}) == len(rows)
    for signal, token in LOGINS.banners:
        assert PACKS.rule_of(signal, token) is not None, token
    assert not [maker for maker, _ in LOGINS.makers if maker not in PACKS]
    services = {service for listed in LOGINS.makers.values() for service, _ in listed}
    assert all(PACKS.services[service].offers for service in services), "else nobody is heard to offer it"


def test_nothing_in_the_pack_is_a_credential() -> None:
    words = {"user", "password", "login", "credential"}
    assert not [key for row in TABLE["defaults"]["rows"] for key in row if key in words]


def test_a_device_has_a_few() -> None:
    rows = [{**MAKER, "id": f"X-{n}"} for n in range(9)]
    assert len(DefaultLogins(rows, ["s"]).about({(OFFERS, "tcp/23")}, "M", "infusion-pump")) == LOGINS_MAX


@pytest.mark.parametrize(
    "row",
    [
        BANNER | {"source": "nobody"},
        BANNER | {"password": "x"},
        {key: value for key, value in BANNER.items() if key != "token"},
        MAKER | {"roles": ["butler"]},
        MAKER | {"token": "p-web"},
        {},
    ],
)
def test_a_line_that_cannot_be_used_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        DefaultLogins([row], ["s"])
