"""The page over a real socket: what it shows, what it sends along, and that hostile strings stay strings."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.collector.web.app import HERE
from agent.collector.web.server import PageServer
from agent.wire.summary import Card, Leg
from tests.collector.conftest import Deliver
from tests.simulators.reporter import PUMP, START_NS, Reporter

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{7919*7907}}{% raw %}",
    "pump\u202eexe.gnp",
    "\x1b[2J\x1b[1;1H",
    "a\r\nSet-Cookie: x=1\x00",
    "javascript:alert(1)",
    "z\u200b\u0301\u0301\u0301\u0301w",
    "'; DROP TABLE devices; --",
    "é🫀",
)
ALLOWED_ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "rel",
        "href",
        "type",
        "class",
        "id",
        "aria-label",
        "colspan",
    ),
    *("min", "max", "value"),
}
NEVER_TAGS = {"script", "img", "iframe", "object", "form", "input", "style", "svg", "embed"}
Get = Callable[..., tuple[http.client.HTTPResponse, str]]


@pytest.fixture
def trouble() -> list[str]:
    return []


@pytest.fixture
def get(store: object, tmp_path: Path, trouble: list[str]) -> Iterator[Get]:
    server = PageServer("127.0.0.1:0", tmp_path, SystemClock(), lambda: trouble[0] if trouble else "")
    server.start()

    def ask(path: str, host: str = "") -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{server.port}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    yield ask
    server.stop()


class Markup(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def check_inert(text: str) -> None:
    markup = Markup(text)
    assert not markup.tags & NEVER_TAGS
    assert markup.attributes <= ALLOWED_ATTRIBUTES
    assert all(re.fullmatch(r"[/#][^:]*|/devices/[^/]+/[0-9a-f:%A-F]+", link) for link in markup.links), markup.links
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069]", text)


def test_an_empty_collector_has_a_page(get: Get) -> None:
    answer, text = get("/")
    assert answer.status == 200
    assert "No tap has reported yet" in text


def test_findings_devices_taps_and_sizes_are_shown(tap: Reporter, deliver: Deliver, get: Get) -> None:
    deliver(tap.birth(), tap.state("degraded"), tap.summary(), tap.finding())
    _, text = get("/")
    for shown in (
        *("internet-contact", "203.0.113.9 on the internet", "Next step:", "infusion pump", "93 %", "Alaris Medical"),
        *("10.20.0.11", "fe80::1", "dhcp-vendor-class alaris", "degraded", "silent on the tap", "not-ip 10"),
        *("wardtap/summary.v2", "seen by tap-1", 'href="/devices/ward/00%3Ad0%3A75%3A18%3A42%3A9b"'),
    ):
        assert shown in text, shown
    check_inert(text)


def test_a_transmitting_tap_is_said_loudly(tap: Reporter, deliver: Deliver, get: Get) -> None:
    deliver(tap.summary(legs=(Leg("eth1", 10, 1000, 3, 0, 2),)))
    text = get("/")[1]
    assert "transmitted 2" in text
    assert "silent on the tap" not in text
    assert "3 (23.077 %)" in text


def test_a_device_page_names_its_peers(tap: Reporter, deliver: Deliver, get: Get) -> None:
    deliver(tap.summary(), tap.finding())
    answer, text = get("/devices/ward/00:d0:75:18:42:9b")
    assert answer.status == 200
    for shown in (
        "tcp 445 (smb)",
        "203.0.113.9",
        "internet",
        "00:09:fb:01:02:03",
        "patient monitor",
        "+0.60",
        "answers",
        "telnet",
    ):
        assert shown in text, shown
    check_inert(text)


@pytest.mark.parametrize(
    "path", ["/devices/ward/ff:ff:ff:ff:ff:ff", "/devices/ward/nothing", "/nothing", "/static/no.css"]
)
def test_what_is_not_there_is_a_404_with_the_same_headers(get: Get, path: str) -> None:
    answer, text = get(path)
    assert answer.status == 404
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Traceback" not in text


def test_every_answer_has_a_strict_policy(get: Get) -> None:
    for path in ("/", "/static/page.css", "/static/icon.svg", "/api/findings.json", "/healthz"):
        answer, _ = get(path)
        assert answer.status == 200, path
        policy = answer.headers["content-security-policy"]
        assert "script-src" not in policy  # so default-src 'none' holds for scripts: none at all, inline or not
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] is None


def test_hostile_strings_are_inert_everywhere(tap: Reporter, deliver: Deliver, get: Get) -> None:
    for number, evil in enumerate((*HOSTILE, "x" * 700)):
        card = Card(
            *(number, bytes([2, 0, 0, 0, 0, number]), 1, evil[:30], 500, evil, evil, evil),
            names=(evil,),
            evidence=((evil[:20], evil, 100),),
            first_ns=START_NS,
            last_ns=2**63 - 1,
        )
        texts: dict[str, Any] = {
            "text": evil,
            "expected": evil[:400],
            "step": evil[:400],
            "cause": f"c{number}",
            "id": evil[:20],
        }
        legs_and_health: dict[str, Any] = {"health": {evil[:20]: evil[:60]}, "ignored": {evil[:20]: 1}}
        deliver(
            tap.summary(cards=(card,), rows=(), edges=(), **legs_and_health),
            tap.finding(**texts, ev=[[evil[:20], evil[:100]]], mac=card.mac, role=evil[:20], last=2**63 - 1),
        )
    _, text = get("/")
    check_inert(text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "⟨U+202E⟩" in text
    assert "{{7919*7907}}" in text
    assert str(7919 * 7907) not in text  # eight digits: a page with a clock on it shows any smaller number some day
    for number in range(len(HOSTILE)):
        check_inert(get(f"/devices/ward/02:00:00:00:00:{number:02x}")[1])
    answer, findings = get("/api/findings.json")
    assert findings.isascii()
    assert answer.headers["content-type"] == "application/json"
    assert len(json.loads(findings)["findings"]) == len(HOSTILE) + 1


def test_the_json_has_what_the_page_has(tap: Reporter, deliver: Deliver, get: Get) -> None:
    deliver(tap.summary(), tap.finding())
    (finding,) = json.loads(get("/api/findings.json")[1])["findings"]
    assert (finding["id"], finding["severity"], finding["agents"]) == ("internet-contact", "page", ["tap-1"])
    devices = json.loads(get("/api/devices.json")[1])["devices"]
    assert devices[0]["mac"] == PUMP.hex(":")
    assert devices[0]["worst"] == "page"
    assert json.loads(get("/api/taps.json")[1])["taps"][0]["processed"] == 990
    assert len(json.loads(get("/api/devices/ward/00:d0:75:18:42:9b.json")[1])["edges"]) == 2
    assert get("/api/devices/ward/zz.json")[0].status == 404


def test_a_name_that_points_here_by_dns_is_not_answered(get: Get) -> None:
    assert get("/", host="evil.example")[0].status == 400
    assert get("/", host="localhost")[0].status == 200


def test_healthz_says_why_the_store_takes_nothing(get: Get, trouble: list[str]) -> None:
    assert get("/healthz")[0].status == 200
    trouble.append("database or disk is full")
    answer, text = get("/healthz")
    assert answer.status == 503
    assert json.loads(text) == {"ok": False, "trouble": "database or disk is full"}


def test_a_store_that_cannot_be_read_is_a_page_not_a_traceback(get: Get, tmp_path: Path) -> None:
    for path in tmp_path.glob("collector.sqlite3*"):
        path.rename(path.with_name("away-" + path.name))
    answer, text = get("/")
    assert answer.status == 503
    assert "The store cannot be read" in text
    assert "Traceback" not in text


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in (*(HERE / "templates").iterdir(), *(HERE / "static").iterdir()):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        for never in ("http:", "https:", "src=", "<script", "style=", "url(", "@import", "| safe }", "| safe |"):
            assert never not in text, (path, never)
