"""Posture on a card: aspects of a closed list, known words, and nothing else."""

import pytest

from agent.collector.names import ASPECTS
from agent.devices.advisories import BY_MAKER
from agent.devices.records import Advisory, DefaultLogin, Posture
from agent.summaries.privacy import Pseudonyms
from agent.summaries.stance import BY_PRODUCT, stance
from agent.wire.summary import ASPECT_OCTETS, NAME_OCTETS
from tests.conftest import ROOT
from tests.service.bench import parts

KNOWN = Posture(
    system="Windows 7",
    said_by=("smb.os",),
    ended="2020-01-14",
    tls_answers=("1.0", "1.2"),
    tls_asks=("1.1",),
    smb=("1", "2.?"),
    services=("telnet",),
    log_ins=("ftp",),
    default_logins=(DefaultLogin("Moxa NPort", "CVE-2016-1529", "http.server", "banner"),),
    advisories=(Advisory("ICSMA-23-194-01", "BD Alaris", 8, BY_PRODUCT), Advisory("ICSMA-17-017-02", "", 8, BY_MAKER)),
)
TOLD = [
    ("system", "Windows 7"),
    ("ended", "2020-01-14"),
    ("service", "telnet"),
    ("log-in", "ftp"),
    ("default-login", "CVE-2016-1529"),
    ("smb", "1"),
    ("smb", "2.?"),
    ("tls-answers", "1.0"),
    ("tls-answers", "1.2"),
    ("tls-asks", "1.1"),
    ("advisory", "ICSMA-23-194-01"),
    ("advisory-maker", "ICSMA-17-017-02"),
]
PERSON = "Orsolya Quillfeather"


def test_what_was_heard_is_told_in_order() -> None:
    assert stance(KNOWN, parts().pseudonyms) == TOLD
    assert stance(Posture(), parts().pseudonyms) == []
    assert stance(KNOWN._replace(ended=""), parts().pseudonyms) == TOLD[2:], "the card has a place for its system"


def test_the_page_has_a_name_for_every_aspect_and_the_document_its_meaning() -> None:
    page = (ROOT / "docs" / "wire.md").read_text("utf-8")
    assert {aspect for aspect, _ in TOLD} == set(ASPECTS)
    assert all(f"| `{aspect}` |" in page for aspect in ASPECTS)
    assert max(len(aspect) for aspect in ASPECTS) <= ASPECT_OCTETS
    assert max(len(word) for word in parts().packs.posture.words()) <= NAME_OCTETS


@pytest.mark.parametrize(
    "posture",
    [
        Posture(system=PERSON, ended="1961-02-14"),
        Posture(tls_answers=(PERSON,), tls_asks=(PERSON,)),
        Posture(smb=(PERSON,), services=(PERSON,)),
        Posture(log_ins=(PERSON,)),
        Posture(advisories=(Advisory(PERSON, PERSON, 1, BY_PRODUCT), Advisory(PERSON, PERSON, 1, PERSON))),
    ],
)
def test_a_word_of_nobodys_list_does_not_leave_in_any_form(posture: Posture) -> None:
    assert stance(posture, parts().pseudonyms) == []


def test_without_packs_only_the_readers_words_leave() -> None:
    told = stance(KNOWN, Pseudonyms(bytes(16)))
    assert {aspect for aspect, _ in told} == {"service", "smb", "tls-answers", "tls-asks"}
