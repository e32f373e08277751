"""The last gate: names leave as pseudonyms, unlisted signals not at all."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.findings.records import Finding, Severity
from agent.packets.hints.records import KINDS
from agent.summaries.privacy import GATE, JUDGED, Form, Pseudonyms, gate
from tests.conftest import ROOT
from tests.findings.bad_day import a_bad_day
from tests.findings.bench import Bench

NAMES_OF_THE_SITE = {"called-title", "calling-title", "domain", "sending-application"}  # leave as pseudonyms
KEY = bytes(range(32))
PSEUDONYM = re.compile(r"~[a-z2-7]{10}")


class Fact(NamedTuple):
    """A piece of evidence."""

    signal: str
    value: str
    weight: float = 1.0
    is_token: bool = False


@pytest.fixture
def names() -> Pseudonyms:
    return Pseudonyms(KEY, words=frozenset({"Alaris Medical", "infusion-pump", "iphone-name"}))


@given(st.text())
def test_a_name_always_leaves_as_a_pseudonym(value: str) -> None:
    assert PSEUDONYM.fullmatch(Pseudonyms(KEY).name(value))


def test_the_same_name_gives_the_same_pseudonym_on_one_site_only(names: Pseudonyms) -> None:
    assert names.name("MX800-ICU3-B07") == Pseudonyms(KEY).name("mx800-icu3-b07")
    assert names.name("MX800-ICU3-B07") != names.name("MX800-ICU3-B08")
    assert names.name("MX800-ICU3-B07") != Pseudonyms(KEY[::-1]).name("MX800-ICU3-B07")


def test_names_do_not_meet() -> None:
    names = Pseudonyms(KEY)
    assert len({names.name(f"host-{number}") for number in range(20_000)}) == 20_000


def test_the_memory_of_names_is_bounded(names: Pseudonyms) -> None:
    for number in range(20_000):
        names.name(str(number))
    assert len(names._known) <= 8192


def test_a_site_may_allow_a_pattern_of_names() -> None:
    names = Pseudonyms(KEY, [r"PCU-\d{8}", r"CT_[A-Z0-9]{1,8}"])
    assert names.name("PCU-13408871") == "PCU-13408871"
    assert names.name("CT_WARD3") == "CT_WARD3"
    for value in ("PCU-13408871-QUILLFEATHER", "XPCU-13408871", "pcu-13408871", "PCU-13408871\n"):
        assert PSEUDONYM.fullmatch(names.name(value)), value


@pytest.mark.parametrize(
    "pattern", [".*", r"\w+", "[A-Z_]{1,16}", r"[A-Z0-9^ -]+", r"\d{8}", r"[\d-]+", ".+", r"[a-z.]+", "(?i)[a-z ]+"]
)
def test_patterns_that_fit_a_persons_name_or_number_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="also fits a person"):
        Pseudonyms(KEY, [pattern])


@pytest.mark.parametrize("pattern", ["(a+)+", "(.*)*b", "((ab)*c)+", "(", "x" * 200, r"(\w+\s?)+$"])
def test_patterns_that_could_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        Pseudonyms(KEY, [pattern])


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(ConfigError, match="64"):
        Pseudonyms(KEY, ["x"] * 65)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 65])
def test_keys_of_another_length_are_refused(key: bytes) -> None:
    with pytest.raises(ConfigError):
        Pseudonyms(key)


def test_evidence_with_a_packs_word_stays_readable(names: Pseudonyms) -> None:
    assert names.evidence(Fact("oui", "Alaris Medical", 2.4, is_token=True)) == ("oui", "Alaris Medical", 2.4)


def test_nobody_is_believed_who_says_that_a_value_is_a_packs_word(names: Pseudonyms) -> None:
    assert PSEUDONYM.fullmatch(names.evidence(Fact("oui", "QUILLFEATHER", is_token=True))[1])
    assert PSEUDONYM.fullmatch(names.evidence(Fact("oui", "alaris medical", is_token=True))[1])
    assert PSEUDONYM.fullmatch(names.evidence(Fact("dhcp.host", "iphone-name", is_token=False))[1])
    assert names.evidence(Fact("hl7.sender-facility", "iphone-name", is_token=True))[1] == ""


def test_without_packs_no_word_is_known() -> None:
    assert PSEUDONYM.fullmatch(Pseudonyms(KEY).evidence(Fact("oui", "Alaris Medical", is_token=True))[1])


def test_words_of_a_card(names: Pseudonyms) -> None:
    assert [names.word(text) for text in ("infusion-pump", "Alaris Medical", "")] == [
        "infusion-pump",
        "Alaris Medical",
        "",
    ]
    assert PSEUDONYM.fullmatch(names.word("QUILLFEATHER"))


def _finding(*evidence: tuple[str, str | int]) -> Finding:
    return Finding(
        id="new-edge",
        severity=Severity.REVIEW,
        mac=1,
        role="infusion-pump",
        tier="vital",
        time_ns=3,
        first_ns=1,
        last_ns=2,
        count=1,
        sentence="It did.",
        evidence=evidence,
        attack=(),
        cause="new-edge|1",
        expected="",
        next_step="",
    )


def test_evidence_of_findings_that_is_not_listed_is_from_anywhere(names: Pseudonyms) -> None:
    ours = _finding(("peer", "10.1.2.3"), ("flows", 7), ("service", "TCP port 445 (SMB)"))
    assert names.finding(ours) is ours
    (title, count, peer) = names.finding(
        _finding(("called-title", "QUILLFEATHER"), ("tries", 7), ("peer", "x"))
    ).evidence
    assert title[0] == "called-title"
    assert PSEUDONYM.fullmatch(str(title[1]))
    assert (count, peer) == (("tries", 7), ("peer", "x"))


def _text_evidence(path: Path) -> Iterator[str]:
    """Names of pairs whose second half is made by one of the judge's text makers (findings/words.py), or is a text."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
            name, value = node.elts[0].value, node.elts[1]
            made = isinstance(value, ast.Call) and ast.unparse(value.func).endswith(("_text", ".label"))
            if isinstance(name, str) and (made or isinstance(value, ast.JoinedStr | ast.IfExp)):
                yield name


def test_what_the_judge_writes_is_listed() -> None:
    """A detector with a new name of evidence says in JUDGED what its text is made of; else it leaves as a pseudonym."""
    written = {name for path in (ROOT / "agent" / "findings").rglob("*.py") for name in _text_evidence(path)}
    assert written <= JUDGED
    assert {"peer", "first", "service", "direction"} <= written
    spelled = "".join(path.read_text("utf-8") for path in (ROOT / "agent" / "findings").rglob("*.py"))
    assert not [name for name in JUDGED if f'("{name}", ' not in spelled], "listed, and nobody writes it"


def test_every_text_that_a_finding_carries_is_listed_or_is_a_name_of_the_site() -> None:
    """On a day on which everything is said: what is made in a variable first is found by nobody who reads the code."""
    texts = {name for f in a_bad_day(Bench()) for name, value in f.evidence if isinstance(value, str)}
    assert texts - JUDGED == NAMES_OF_THE_SITE
    assert {"gateway", "name-server", "known-servers", "message", "list", "conflict"} <= texts


def test_evidence_from_the_wire_is_a_pseudonym(names: Pseudonyms) -> None:
    assert PSEUDONYM.fullmatch(names.evidence(Fact("dhcp.vendor", "QUILLFEATHER"))[1])


def test_a_signal_that_is_not_listed_loses_its_value(names: Pseudonyms) -> None:
    assert names.evidence(Fact("new.kind", "QUILLFEATHER")) == ("new.kind", "", 1.0)
    assert gate("new.kind", "word", names, is_token=True) == ""
    assert gate("hl7.sender-facility", "ICU3", names, is_token=True) == ""


def test_numbers_leave_as_numbers_and_nothing_else_does(names: Pseudonyms) -> None:
    assert gate("bacnet.vendor", "5", names) == "5"
    assert gate("bacnet.vendor", "65535", names) == "65535"
    for value in ("19610214", "80417729352", "14.02.1961", "3.14", ""):
        assert PSEUDONYM.fullmatch(gate("bacnet.vendor", value, names)), value
    assert PSEUDONYM.fullmatch(gate("bacnet.vendor", "5x", names))
    assert PSEUDONYM.fullmatch(gate("bacnet.vendor", "\u0665", names))


def test_the_gate_lists_only_what_exists_and_names_are_names() -> None:
    ours = {"oui", "mac", "gateway", "continuity", "offers", "uses"}
    assert set(GATE) - ours <= set(KINDS)
    for kind in ("dhcp.host", "dicom.ae", "netbios.host", "smb.host", "mdns.host", "lldp.name", "hl7.sender"):
        assert GATE[kind] is Form.NAME


@given(st.sampled_from(sorted(KINDS)), st.text(min_size=3).filter(lambda text: not text.replace(".", "").isdigit()))
def test_no_wire_text_passes_the_gate(kind: str, value: str) -> None:
    out = gate(kind, value, Pseudonyms(KEY))
    assert out == "" or PSEUDONYM.fullmatch(out)
