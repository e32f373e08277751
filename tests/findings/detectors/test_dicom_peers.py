"""dicom-unknown-peer and dicom-probe: strangers, borrowed titles, tried ones; the ward's own imaging stays silent."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.devices.baseline import Order
from agent.devices.records import Remark
from agent.findings import peers
from agent.findings.detectors import dicom_peers
from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from agent.packets.records import Application
from agent.summaries.privacy import Pseudonyms
from tests.findings.bench import HOUR, Bench, S, ids
from tests.findings.recorded import found_in

DICOM = int(Application.DICOM)
PEERS = {"dicom-unknown-peer", "dicom-probe"}


def call(bench: Bench, source: int, target: int, calling: str, called: str, *uses: str) -> Remark:
    """An association's request."""
    words = (("dicom.ae", calling), ("dicom.called", called), *(("dicom.uses", use) for use in uses))
    return bench.remark(source, target, *words)


def reject(bench: Bench, target: int, source: int) -> Remark:
    """The called host's answer."""
    return bench.remark(target, source, ("dicom.rejects", "called-title"))


def ward(bench: Bench, *, learned: bool = True) -> tuple[int, int]:
    """A modality and its archive, that were there while the tap settled."""
    modality, archive = bench.add("imaging-modality"), bench.add("pacs")
    assert not bench.judge(remarks=[call(bench, modality, archive, "CT_WARD3", "PACS_MAIN")], settled=False)
    if learned:
        bench.baseline.order_role(Order.FREEZE, "pacs")
    bench.interval()
    return modality, archive


def hear(bench: Bench, *remarks: Remark) -> list[Finding]:
    """One turn later."""
    return [found for found in bench.judge(remarks=remarks) if found.id in PEERS]


def test_a_stranger_calls_the_archive(bench: Bench) -> None:
    _, archive = ward(bench)
    stranger = bench.comes()
    (found,) = hear(bench, call(bench, stranger, archive, "PROBE", "PACS_MAIN"))
    assert (found.id, found.severity) == ("dicom-unknown-peer", Severity.PAGE)
    assert found.sentence == (
        "Device 00:d0:75:18:00:02 (Maker) asked the PACS 00:d0:75:18:00:01 (Maker) for a DICOM association, which "
        "it was not known to do."
    )
    assert not hear(bench, call(bench, stranger, archive, "PROBE", "PACS_MAIN")), "once"


def test_a_borrowed_title_is_told_with_its_owner(bench: Bench) -> None:
    _, archive = ward(bench)
    (found,) = hear(bench, call(bench, bench.comes(), archive, "CT_WARD3", "PACS_MAIN"))
    assert "under a title that belongs to the imaging modality 00:d0:75:18:00:00 (Maker)" in found.sentence
    assert found.severity is Severity.PAGE


def test_a_new_title_of_a_known_host_is_a_review(bench: Bench) -> None:
    modality, archive = ward(bench)
    (found,) = hear(bench, call(bench, modality, archive, "CT_WARD3_MPPS", "PACS_MAIN"))
    assert found.severity is Severity.REVIEW


def test_a_host_that_was_there_before_is_a_review_and_silent_while_its_archive_learns(bench: Bench) -> None:
    _, archive = ward(bench)
    (found,) = hear(bench, call(bench, bench.add("clinical-workstation"), archive, "READWS1", "PACS_MAIN"))
    assert found.severity is Severity.REVIEW
    second = Bench()
    _, archive = ward(second, learned=False)
    assert not hear(second, call(second, second.add("clinical-workstation"), archive, "READWS1", "PACS_MAIN"))
    assert ids(hear(second, call(second, second.comes(), archive, "READWS1", "PACS_MAIN"))) == ["dicom-unknown-peer"]


def test_a_mobile_modality_that_comes_back_is_a_review(bench: Bench) -> None:
    _, archive = ward(bench)
    mobile = bench.comes("imaging-modality")
    bench.interval()
    (found,) = hear(bench, call(bench, mobile, archive, "US_MOBILE", "PACS_MAIN"))
    assert found.severity is Severity.REVIEW
    actor = bench.comes("imaging-modality")
    (found,) = hear(bench, call(bench, actor, archive, "US_OTHER", "PACS_MAIN"))
    assert found.severity is Severity.PAGE, "it was none before it spoke"


def test_what_the_ward_does_every_day(bench: Bench) -> None:
    modality, archive = ward(bench)
    usual = call(bench, modality, archive, "CT_WARD3", "PACS_MAIN", "query-find")
    assert not hear(bench, *[usual] * 50)
    assert not hear(bench, call(bench, archive, modality, "PACS_MAIN", "CT_WARD3")), "who is called may call back"
    assert not hear(bench, *[reject(bench, archive, modality)] * 9)


def test_before_the_tap_has_settled_everybody_is_new(bench: Bench) -> None:
    _, archive = ward(bench)
    assert not bench.judge(remarks=[call(bench, bench.comes(), archive, "X", "PACS_MAIN")], settled=False)


def test_a_declared_window(bench: Bench) -> None:
    _, archive = ward(bench)
    bench.engine.declare(ChangeWindow("pacs", bench.now_ns, bench.now_ns + HOUR))
    assert not hear(bench, call(bench, bench.comes(), archive, "NEW_CT", "PACS_MAIN"))


def test_a_known_title_through_the_gateway_is_the_same_host(bench: Bench) -> None:
    _, archive = ward(bench)
    router = bench.add("network-gear", gateway=True)
    assert not hear(bench, call(bench, router, archive, "CT_WARD3", "PACS_MAIN"))
    assert ids(hear(bench, call(bench, router, archive, "ELSEWHERE", "PACS_MAIN"))) == ["dicom-unknown-peer"]


def test_titles_that_are_tried(bench: Bench) -> None:
    _, archive = ward(bench)
    stranger = bench.comes()
    tries = [call(bench, stranger, archive, "PROBE", title) for title in ("ANY-SCP", "PACS", "ORTHANC")]
    said = hear(bench, tries[0], reject(bench, archive, stranger), *tries[1:])
    assert ids(said) == ["dicom-unknown-peer", "dicom-probe"]
    assert said[1].severity is Severity.REVIEW
    assert "tried 3 different titles with the PACS" in said[1].sentence


def test_many_titles_need_no_rejection_to_be_heard(bench: Bench) -> None:
    """The archive's rejection may have been somebody else's: the same one is heard once in a run."""
    _, archive = ward(bench)
    stranger = bench.comes()
    said = hear(bench, *(call(bench, stranger, archive, "PROBE", f"T{n}") for n in range(6)))
    assert ids(said) == ["dicom-unknown-peer", "dicom-probe"]
    assert "within a second: so does who" in said[1].sentence


def test_two_titles_or_no_rejection_are_no_probe(bench: Bench) -> None:
    modality, archive = ward(bench)
    titles = [call(bench, modality, archive, "CT_WARD3", f"PACS{n}") for n in range(4)]
    assert not hear(bench, *titles), "an archive may have a title for each purpose"
    second = bench.add("pacs")
    wrong = [call(bench, modality, second, "CT_WARD3", title) for title in ("PACS", "PACS_MAIN")]
    assert not hear(bench, *wrong, reject(bench, second, modality)), "a slip of the one who set it up"


def test_titles_tried_over_hours_are_other_tries(bench: Bench) -> None:
    modality, archive = ward(bench)
    for number in range(6):
        assert not hear(
            bench, call(bench, modality, archive, "CT_WARD3", f"T{number}"), reject(bench, archive, modality)
        )
        bench.now_ns += HOUR


def test_a_stranger_that_lists_what_is_stored(bench: Bench) -> None:
    modality, archive = ward(bench)
    stranger = bench.comes()
    assert ids(hear(bench, call(bench, stranger, archive, "CT_WARD3", "PACS_MAIN", "query-find")))
    rows = [bench.edge(who, archive, 104, application=DICOM, flows=20) for who in (stranger, modality)]
    (found,) = [found for found in bench.interval(rows) if found.id in PEERS]
    assert found.id == "dicom-probe"
    assert "asked the PACS 00:d0:75:18:00:01 (Maker) for queries in 20 associations within 60 seconds" in found.sentence


@pytest.mark.parametrize("text", ["QUILLFEATHER^ORSO", "", " ", "\u202e" * 16, "|" * 16])
def test_titles_leave_as_pseudonyms_only(bench: Bench, text: str) -> None:
    _, archive = ward(bench)
    said = hear(bench, call(bench, bench.comes(), archive, text, text))
    assert ids(said) == ["dicom-unknown-peer"]
    told = Pseudonyms(bytes(32)).finding(said[0])
    assert str(dict(told.evidence)["calling-title"]).startswith("~")
    assert "QUILL" not in str(told)


def half(words: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Words without the title that is called."""
    return tuple(word for word in words if word[0] != "dicom.called")


def test_half_a_request_says_nothing(bench: Bench) -> None:
    _, archive = ward(bench)
    whole = call(bench, bench.comes(), archive, "PROBE", "X")
    assert not hear(bench, whole._replace(words=half(whole.words)), whole._replace(source=0x00DEAD000001))


def test_memory_is_bounded(bench: Bench) -> None:
    _, archive = ward(bench)
    base = call(bench, bench.comes(), archive, "PROBE", "X")
    bench.judge(remarks=[base._replace(source=0x021000000000 + n) for n in range(3000)])
    bench.judge(remarks=[base._replace(words=(("dicom.ae", f"A{n}"), ("dicom.called", f"B{n}"))) for n in range(3000)])
    held = bench.engine.peers.kept().titles
    assert len(held) == peers.HOSTS_MAX
    assert len(bench.engine._dicom._tries) == dicom_peers.PAIRS_MAX
    assert max(len(titles) for _, titles in held) == peers.TITLES_OF_ONE_MAX


@pytest.mark.captures
@pytest.mark.parametrize(
    ("capture", "settling_s", "wanted"),
    [
        ("dicom_probe.pcap", 15, [("dicom-unknown-peer", Severity.PAGE), ("dicom-probe", Severity.REVIEW)]),
        ("dicom_store_find.pcap", 25, []),
        ("dicom_onpath.pcap", 30, []),
    ],
)
def test_captures(captures: Path, capture: str, settling_s: int, wanted: list[tuple[str, Severity]]) -> None:
    said = found_in(captures / "clinical" / capture, {"settling_s": settling_s})
    assert [(found.id, found.severity) for found in said if found.id in PEERS] == wanted
    assert not [found for found in said if "QUILLFEATHER" in str(found)]


def test_a_turn_without_remarks_costs_nothing(bench: Bench) -> None:
    ward(bench)
    assert not bench.judge(after_ns=S)
