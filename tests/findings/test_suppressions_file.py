"""The file of suppressions: read whole, or refused with its row; nothing in it can be wider than it looks."""

import contextlib
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.roles import ROLES
from agent.errors import ConfigError
from agent.findings.records import Severity
from agent.findings.settings import ChangeWindow
from agent.findings.suppressions import RULES_MAX
from agent.findings.suppressions_file import parse_suppressions

SPAN = 'start = "2026-11-01T00:00:00Z"\nuntil = "2026-11-08T00:00:00Z"\n'
WHO = 'owner = "biomedical engineering"\nwhy = "ticket 4711"\n'
ROW = f'[[suppression]]\nid = "contract-breach"\ndevice = "00:03:b1:6a:0f:58"\nseverity = "page"\n{SPAN}{WHO}'
WORK = f'[[maintenance]]\ndevice = "00:03:b1:6a:0f:58"\n{SPAN}{WHO}'
WINDOW = f'[[window]]\nrole = "*"\n{SPAN}{WHO}'
HEAD = 'version = "1"\n'
START_NS = 1_793_491_200 * 10**9


def test_all_three() -> None:
    peer = 'peer = "10.1.1.0/24"\nprotocol = "tcp"\nport = 22\n'
    found = parse_suppressions(HEAD + ROW + peer + WORK + WINDOW, ROLES)
    made, work = found.suppressions
    assert (made.id, made.device, made.peer) == ("contract-breach", 0x0003B16A0F58, ip_network("10.1.1.0/24"))
    assert (made.protocol, made.port, made.severity) == (6, 22, Severity.PAGE)
    assert (made.start_ns, made.end_ns - made.start_ns) == (START_NS, 7 * 86_400 * 10**9)
    assert (made.owner, made.why) == ("biomedical engineering", "ticket 4711")
    assert (work.id, work.device) == ("", 0x0003B16A0F58)
    assert found.windows == (ChangeWindow("*", START_NS, START_NS + 7 * 86_400 * 10**9),)


def test_a_role_with_a_peer_by_its_card() -> None:
    text = ROW.replace('device = "00:03:b1:6a:0f:58"', 'role = "infusion-pump"\npeer = "f4:39:09:71:c2:0e"')
    (made,) = parse_suppressions(HEAD + text, ROLES).suppressions
    assert (made.role, made.peer_mac, made.peer) == ("infusion-pump", 0xF4390971C20E, None)


def test_an_empty_file_explains_nothing() -> None:
    assert parse_suppressions(HEAD, ROLES).suppressions == ()


LONG = SPAN.replace("2026-11-08", "2027-12-08")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("= 1", "is not TOML"),
        ("", "needs `version`"),
        (HEAD + "[other]\n", "needs `version`"),
        (HEAD + "suppression = 7\n", "a list of at most"),
        (HEAD + "suppression = [7]\n", "is no table"),
        (HEAD + ROW * (RULES_MAX + 1), "a list of at most"),
        (HEAD + ROW.replace("contract-breach", "tap-transmitted"), "nobody can switch it off"),
        (HEAD + ROW.replace("contract-breach", "equivocation"), "nobody can switch it off"),
        (HEAD + ROW.replace("contract-breach", "capture-loss"), "nobody can switch it off"),
        (HEAD + ROW.replace("contract-breach", "x"), "no finding of the catalogue"),
        (HEAD + ROW.replace('device = "00:03:b1:6a:0f:58"\n', ""), "needs a device, or a role with"),
        (HEAD + ROW.replace('device = "00:03:b1:6a:0f:58"', 'role = "pacs"'), "needs a device, or a role with"),
        (HEAD + ROW.replace("00:03:b1:6a:0f:58", "00:03:B1:6A:0F:58"), "MAC address in lower case"),
        (HEAD + ROW + 'role = "nurse"\n', "is no role"),
        (HEAD + ROW + 'peer = "10.1.1.7/24"\n', "an address, a network or a MAC"),
        (HEAD + ROW + 'protocol = "smtp"\n', "is no protocol"),
        (HEAD + ROW + "port = 22\n", "a port needs its protocol"),
        (HEAD + ROW + 'protocol = "tcp"\nport = 65536\n', "a number up to 65535"),
        (HEAD + ROW + 'protocol = "tcp"\nport = true\n', "a number up to 65535"),
        (HEAD + ROW + "prt = 22\n", "'prt' is no key"),
        (HEAD + ROW.replace('severity = "page"\n', ""), "severity is missing|severity is a plain text"),
        (HEAD + ROW.replace('"page"', '"alarm"'), "severity is one of"),
        (HEAD + ROW.replace('owner = "biomedical engineering"\n', ""), "owner is"),
        (HEAD + ROW.replace("biomedical engineering", ""), "owner is missing"),
        (HEAD + ROW.replace("ticket 4711", "x" * 121), "why is a plain text"),
        (HEAD + ROW.replace(SPAN, LONG), "at most 366 days"),
        (HEAD + ROW.replace("2026-11-08", "2026-10-08"), "at most 366 days"),
        (HEAD + ROW.replace("2026-11-08T00:00:00Z", "2026-11-08T00:00:00"), "until is a time"),
        (HEAD + ROW.replace("2026-11-08T00:00:00Z", "soon"), "until is a time"),
        (HEAD + ROW.replace('start = "2026-11-01T00:00:00Z"\n', ""), "start is"),
        (HEAD + WORK.replace("2026-11-08", "2026-11-09"), "at most 7 days"),
        (HEAD + WORK.replace('device = "00:03:b1:6a:0f:58"\n', ""), "needs a device"),
        (HEAD + WORK + 'role = "pacs"\n', "'role' is no key"),
        (HEAD + WINDOW.replace('"*"', '"x"'), "is no role"),
        (HEAD + WINDOW.replace("2026-11-08", "2026-11-09"), "at most 7 days"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        parse_suppressions(text, ROLES)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for hostile in (text, HEAD + ROW.replace("ticket 4711", text)):
        with contextlib.suppress(ConfigError):
            assert len(parse_suppressions(hostile, ROLES).suppressions) <= 1
