"""DICOM associations; never a data set."""

from pathlib import Path

import pytest

from agent.packets.hints import dicom
from agent.packets.hints.records import Signal
from tests.forge.dicom import CT_IMAGE, ULTRASOUND_IMAGE, VERIFICATION, associate_reject, associate_request
from tests.packets.hints.payloads import FIND, REQUEST
from tests.packets.hints.tshark import fields


def test_a_request_speaks_of_both_sides() -> None:
    assert dicom.read(REQUEST) == [
        Signal("dicom.implementation", "1.2.840.113619.6.1"),
        Signal("dicom.version", "GE_1"),
        Signal("dicom.ae", "CT_WARD3"),
        Signal("dicom.ae", "PACS_MAIN", about_peer=True),
        Signal("dicom.syntaxes", "2:be5f45aa39e6"),
        Signal("dicom.uses", "query-find"),
        Signal("dicom.uses", "storage-ct"),
        Signal("dicom.asked", "query-find", about_peer=True),
        Signal("dicom.asked", "storage-ct", about_peer=True),
    ]


def test_an_acceptance_speaks_of_its_sender_alone() -> None:
    signals = dicom.read(b"\2" + REQUEST[1:])
    assert signals[-1] == Signal("dicom.accepts", "association")
    assert not [signal for signal in signals if signal.kind == "dicom.ae" or signal.about_peer]


def test_many_kinds_of_images_are_one_word() -> None:
    stem = CT_IMAGE.rpartition(".")[0]
    classes = [CT_IMAGE, ULTRASOUND_IMAGE, f"{stem}.4", f"{stem}.20", f"{stem}.128", VERIFICATION, FIND]
    signals = dicom.read(associate_request(("A", "B"), classes, ("1.2.3", "X")))
    uses = [signal.value for signal in signals if signal.kind == "dicom.uses"]
    assert uses == ["verification", "query-find", "storage-many"]


def test_a_request_longer_than_what_is_read_still_speaks() -> None:
    classes = [f"{CT_IMAGE}.{number}" for number in range(120)]
    signals = dicom.read(associate_request(("PACS", "CT"), classes, ("1.2.3", "X"))[:4096])
    assert Signal("dicom.ae", "CT") in signals


def test_what_is_cut_is_not_taken_for_something_shorter() -> None:
    """A UID that loses its end is another UID, and a set that loses members another set."""
    for size in range(74, len(REQUEST)):
        signals = dicom.read(REQUEST[:size])
        assert {s.value for s in signals if s.kind == "dicom.implementation"} <= {"1.2.840.113619.6.1"}
        assert {s.value for s in signals if s.kind == "dicom.version"} <= {"GE_1"}
        assert not [s for s in signals if s.kind == "dicom.syntaxes"]
        assert {s.value for s in signals if s.kind == "dicom.uses"} <= {"storage-ct", "query-find"}


def test_the_same_syntaxes_in_any_order_are_the_same_set() -> None:
    def told(*syntaxes: str) -> str:
        signals = dicom.read(associate_request(("A", "B"), syntaxes, ("1.2.3", "X")))
        return next(signal.value for signal in signals if signal.kind == "dicom.syntaxes")

    assert told(FIND, CT_IMAGE) == told(CT_IMAGE, FIND, FIND) != told(CT_IMAGE)


def test_why_an_association_was_refused_or_broken() -> None:
    assert dicom.read(associate_reject(7)) == [Signal("dicom.rejects", "called-title")]
    assert dicom.read(associate_reject(3)) == [Signal("dicom.rejects", "calling-title")]
    assert dicom.read(b"\3\0\0\0\0\4\0\2\3\1") == [Signal("dicom.rejects", "congestion, for now")]
    assert dicom.read(b"\3\0\0\0\0\4\0\1\x63\x63") == [Signal("dicom.rejects", "other")]
    assert dicom.read(b"\7\0\0\0\0\4\0\0\0\0") == [Signal("dicom.aborts", "by-user")]
    assert dicom.read(b"\7\0\0\0\0\4\0\0\2\2") == [Signal("dicom.aborts", "unexpected-pdu")]
    assert dicom.read(b"\7\0\0\0\0\x40\0\0\2\2") == []


def test_data_is_silent() -> None:
    assert dicom.read(b"\4" + REQUEST[1:]) == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    same = 0
    names = ("tcp.payload", "dicom.assoc.ae.calling", "dicom.assoc.ae.called")
    for path in sorted((captures / "medical").glob("dicom*.pcap*")):
        for payload, calling, called in fields(path, "dicom.pdu.type==1", *names):
            if not payload[0].startswith("01"):
                continue  # in several segments, of which tshark tells with the last
            titles = [signal.value for signal in dicom.read(bytes.fromhex(payload[0])) if signal.kind == "dicom.ae"]
            assert titles == [calling[0].strip(), called[0].strip()]
            same += 1
    assert same
