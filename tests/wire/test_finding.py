"""Findings: long ones are cut, never refused."""

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from agent.findings.records import Finding
from agent.wire import body
from agent.wire.finding import SCHEMA, FindingRecord, finding_content, mac_octets
from agent.wire.types import RULES, MessageType
from tests.wire.samples import Judged, header


def _over_the_wire(judged: Judged) -> FindingRecord:
    octets = body.encode(MessageType.FINDING, header(), finding_content(judged))
    assert len(octets) <= RULES[MessageType.FINDING].body_bytes_max
    return FindingRecord.from_content(body.decode(MessageType.FINDING, octets)[1])


def test_a_finding_comes_back() -> None:
    judged = Judged()
    back = _over_the_wire(judged)
    assert (back.id, back.severity, back.mac.hex(), back.text) == (
        "internet-contact",
        "page",
        "00d07518429b",
        judged.sentence,
    )
    assert back.evidence == judged.evidence
    assert (back.time_ns, back.first_ns, back.last_ns, back.step) == (
        judged.time_ns,
        judged.first_ns,
        judged.last_ns,
        judged.next_step,
    )


def test_the_judges_finding_has_every_field() -> None:
    assert {field.name for field in fields(Judged)} == {field.name for field in fields(Finding)}


def test_a_finding_of_huge_texts_fits() -> None:
    long = "ü" * 9000
    back = _over_the_wire(
        replace(
            Judged(),
            sentence=long,
            expected=long,
            next_step=long,
            cause=long,
            role=long,
            evidence=((long, long),) * 99,
            attack=(long,) * 99,
        )
    )
    assert back.text.endswith("…")
    assert len(back.evidence) == 24


@given(st.text(max_size=2000), st.integers(1 - 2**63, 2**63 - 1))
def test_any_text_fits(text: str, number: int) -> None:
    back = _over_the_wire(replace(Judged(), sentence=text, evidence=((text, number), ("x", text))))
    assert back.evidence[0][1] == number


def test_the_field_table_fits_the_size() -> None:
    assert SCHEMA.max_bytes < 8 * 1024 - 512


def test_macs() -> None:
    assert mac_octets(0) == b""
    assert mac_octets(1) == b"\0\0\0\0\0\1"
    assert mac_octets(1 << 63 | 5).hex() == "8000000000000005"
