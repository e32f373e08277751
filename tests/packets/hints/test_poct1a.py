"""POCT1-A: messages by name, maker and model of a hello, and nothing of what stands beside them."""

import pytest

from agent.packets.hints import poct1a
from agent.packets.hints.records import Signal
from tests.forge import poct1a as forge
from tests.packets.hints.samples import HELLO_OF_A_METER, METER, RESULT_OF_A_METER, WHEN

HELLO = Signal("poct1a.says", "HEL.R01")


def hello(section: str) -> list[Signal]:
    """What is read of a hello with this device section."""
    return poct1a.read(forge.message("HEL.R01", 1, WHEN, section))


def test_a_hello() -> None:
    said = [HELLO, Signal("poct1a.maker", "NOVABIO"), Signal("poct1a.model", "StatStrip")]
    assert poct1a.read(HELLO_OF_A_METER) == said
    assert poct1a.read(forge.message("HEL.R01", 1, WHEN, METER, declared=True)) == said


def test_of_a_result_only_that_it_is_one() -> None:
    assert poct1a.read(RESULT_OF_A_METER) == [Signal("poct1a.says", "OBS.R01")]
    assert poct1a.read(RESULT_OF_A_METER.replace(b"</SVC>", METER.encode() + b"</SVC>")) == [
        Signal("poct1a.says", "OBS.R01")
    ]


def test_id_serial_name_and_version_of_a_device_are_not_read() -> None:
    told = " ".join(signal.value for signal in poct1a.read(HELLO_OF_A_METER))
    assert not [word for word in ("OTTILIE", "QUILLFEATHER", "0600100736", "3.10") if word in told]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ('<DEV.vendor_id V="EPOC^BGA^0717"/>', ["EPOC"]),  # maker, kind and number in one
        ("<DEV.manufacturer_name V='QUIDEL' />", ["QUIDEL"]),
        ('<DEV.vendor_id\r\n V = "NOVABIO">', ["NOVABIO"]),
        ('<DEV.vendor_id V=""/>', []),
        ('<DEV.vendor_id SN="x" V="NOVABIO"/>', []),  # another attribute comes first: not read
        ('<DEV.vendor_id V="Müggel &amp; Co"/>', []),  # no plain word
        (f'<DEV.vendor_id V="{"A" * 33}"/>', []),
        ('<DEV.vendor_id V="NOVABIO', []),
        ("<DEV.vendor_id V=" + " " * 80, []),
        ("<DEV.vendor_id V=NOVABIO>", []),
        ('<DEV.vendor_ids V="NOVABIO"/>', []),
    ],
)
def test_makers(field: str, values: list[str]) -> None:
    assert [s.value for s in hello(f"<DEV>{field}") if s.kind == "poct1a.maker"] == values


def test_a_field_is_looked_for_in_the_device_section_only() -> None:
    assert hello(f'{" " * 1100}<DEV><DEV.vendor_id V="NOVABIO"/>') == [HELLO]
    assert hello(f'<DEV>{" " * 600}<DEV.vendor_id V="NOVABIO"/>') == [HELLO]


@pytest.mark.parametrize("name", ["HEL.R09", "ABC.R01", "HEL_R01", "hel.R01", "HELLO.R01"])
def test_other_names_are_silent(name: str) -> None:
    assert poct1a.read(forge.message(name, 1, WHEN, METER)) == []


def test_other_payloads_are_silent() -> None:
    assert poct1a.read(b"<?xml version='1.0'?><x/>") == []
    assert poct1a.read(b"<?xml " + b" " * 200 + b"?>" + HELLO_OF_A_METER) == []
    assert poct1a.read(b"x" + HELLO_OF_A_METER) == []
    assert poct1a.read(b"<HEL.R01") == []
