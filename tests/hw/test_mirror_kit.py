"""The mirror kit: drawing, bill of materials and pin table say the same, and the header is the real one."""

import csv
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from hw.wiring.drawing import Box, Sheet
from hw.wiring.mirror_kit import BOM, BOXES, DRAWING, HW, PINS, WIRES, draw, read_bom, read_pins

COLUMNS = ["ref", "quantity", "part", "maker", "maker_part_number", "role", "alternate", "notes"]
# The 40-pin header as the board's maker gives it, written down here a second time on purpose.
SUPPLY = {1: "3V3", 17: "3V3", 2: "5V", 4: "5V"} | dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "GND")
BUSES = {
    3: "GPIO2",
    5: "GPIO3",
    19: "GPIO10",
    21: "GPIO9",
    23: "GPIO11",
    24: "GPIO8",
    26: "GPIO7",
    27: "GPIO0",
    28: "GPIO1",
}
SVG = "{http://www.w3.org/2000/svg}"
DESIGNATOR = re.compile(r"\b([A-Z]{1,2}[1-9])\b")


def designators() -> set[str]:
    return {row["ref"] for row in read_bom()}


def test_the_drawing_is_the_one_that_the_code_makes() -> None:
    assert DRAWING.read_text(encoding="utf-8") == draw(), "run: python -m hw.wiring.mirror_kit"
    assert draw() == draw()


def test_every_drawing_is_well_formed_and_stays_on_its_sheet() -> None:
    sheet = ET.fromstring(draw())
    width, height = float(sheet.attrib["width"]), float(sheet.attrib["height"])
    for text in sheet.iter(f"{SVG}text"):
        assert text.text is not None
        length = len(text.text) * float(text.attrib["font-size"]) * 0.6
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        left = {"start": x, "middle": x - length / 2, "end": x - length}[text.attrib["text-anchor"]]
        assert left >= 0, text.text
        assert left + length <= width, text.text
        assert 0 < y < height, text.text


def test_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit its box"):
        Sheet("x", 100, 100).box(Box("U9", "a title far too long for so small a box", 0, 0, 60, 40))


def test_the_bill_of_materials_is_complete() -> None:
    with BOM.open(newline="", encoding="utf-8") as file:
        assert csv.DictReader(file).fieldnames == COLUMNS
    rows = read_bom()
    assert len(designators()) == len(rows)
    for row in rows:
        assert None not in row, row
        assert re.fullmatch(r"[A-Z]{1,2}[1-9]\d?", row["ref"])
        assert int(row["quantity"]) >= 1
        for column in ("part", "maker", "maker_part_number", "role", "alternate"):
            assert row[column], (row["ref"], column)


def test_a_price_is_marked_unverified() -> None:
    for path in HW.rglob("*"):
        if path.suffix in {".csv", ".md"}:
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.search(r"[$€£]\s?\d|\bUSD\b|\bEUR\b", line):
                    assert "unverified" in line, (path.name, line)


def test_everything_wired_is_in_the_bill_of_materials() -> None:
    drawn = {box.ref for box in BOXES if box.ref}
    for words in [*(wire.label for wire in WIRES), *(line for box in BOXES for line in (box.title, *box.lines))]:
        drawn |= set(DESIGNATOR.findall(words))
    for pin in read_pins():
        drawn |= set(DESIGNATOR.findall(pin.use))
    assert drawn == designators()


def test_every_pin_is_there_once_and_in_its_place() -> None:
    pins = read_pins()
    assert [pin.number for pin in pins] == list(range(1, 41))
    for pin in pins:
        if pin.number in SUPPLY:
            assert pin.signal == SUPPLY[pin.number]
        else:
            assert pin.signal.startswith("GPIO")
            assert BUSES.get(pin.number, pin.signal) == pin.signal
    lines = Counter(pin.signal for pin in pins if pin.number not in SUPPLY)
    assert lines == {f"GPIO{number}": 1 for number in range(28)}


def test_directions_fit_the_signals() -> None:
    for pin in read_pins():
        if not pin.used:
            assert pin.direction == "-"
        elif pin.signal == "GND":
            assert pin.direction == "ground"
        elif pin.signal in {"3V3", "5V"}:
            assert pin.direction == "power"
        else:
            assert pin.direction in {"in", "out", "both"}


def test_parts_of_3_3_volt_are_not_put_on_5_volt() -> None:
    """Nothing of the kit takes 5 V from the header, and each part that has a supply pin has a ground pin."""
    supplied = {part for pin in read_pins() if pin.signal == "3V3" for part in DESIGNATOR.findall(pin.use)}
    grounded = {part for pin in read_pins() if pin.signal == "GND" for part in DESIGNATOR.findall(pin.use)}
    assert not any(pin.used for pin in read_pins() if pin.signal == "5V")
    assert supplied == {"U4", "U5"}
    assert supplied <= grounded


def test_the_bus_pins_go_to_the_bus_parts() -> None:
    uses = {pin.number: pin.use for pin in read_pins()}
    assert uses[3] == "U4 SDA"
    assert uses[5] == "U4 SCL"
    assert [uses[number] for number in (19, 21, 23)] == ["U5 MOSI", "U5 MISO", "U5 SCLK"]


def test_every_light_has_its_resistor() -> None:
    uses = [pin.use for pin in read_pins()]
    lights = sorted(ref for ref in designators() if ref.startswith("D"))
    assert lights == ["D1", "D2", "D3"]
    for light in lights:
        assert f"R{light[1:]} to {light}" in uses


def test_the_tap_leg_has_one_way_only() -> None:
    legs = [wire for wire in WIRES if wire.kind == "tap"]
    assert len(legs) == 1
    assert legs[0].arrow
    switch, card = BOXES[0], BOXES[1]
    (start, _), (end, _) = legs[0].points[0], legs[0].points[-1]
    assert start == switch.x + switch.width
    assert end == card.x
    assert card.ref == "J1"


def test_the_pages_speak_of_files_that_exist() -> None:
    for page in (HW / "README.md", HW / "kits.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


def test_the_decision_table_has_the_three_kits() -> None:
    text = (HW / "kits.md").read_text(encoding="utf-8")
    for kit in ("Kit A", "Kit B", "Kit C"):
        assert text.count(kit) >= 2
    # what is not verified says so
    assert "(U)" in text
    assert "(V)" in text
    assert Path(PINS).is_file()
