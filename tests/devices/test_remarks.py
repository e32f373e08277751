"""What the judge listens to, and that nothing else of a payload reaches it."""

from agent.devices.records import Remark
from agent.devices.remarks import CALLED, LISTENED, remark_of
from agent.packets.hints.records import KINDS, Signal


def test_a_caller_and_whom_it_calls() -> None:
    said = [
        Signal("dicom.implementation", "1.2.3"),
        Signal("dicom.ae", "CT_WARD3"),
        Signal("dicom.ae", "PACS_MAIN", about_peer=True),
    ]
    assert remark_of(7, 9, said, 5) == Remark(5, 7, 9, (("dicom.ae", "CT_WARD3"), (CALLED, "PACS_MAIN")))


def test_a_name_and_what_was_asked_of_it() -> None:
    said = [Signal("dns.asks", "a.example"), Signal("dns.type", "TXT")]
    assert remark_of(7, 9, said, 5) == Remark(5, 7, 9, (("dns.asks", "a.example"), ("dns.type", "TXT")))


def test_what_no_detector_compares() -> None:
    assert (
        remark_of(7, 9, [Signal("http.agent", "x"), Signal("dhcp.host", "y"), Signal("dns.code", "refused")], 5) is None
    )
    assert remark_of(7, 9, [], 5) is None


def test_every_kind_exists() -> None:
    assert set(KINDS) >= LISTENED
