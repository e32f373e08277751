"""The wiring of the mirror kit; `python -m hw.wiring.mirror_kit` in the checkout writes mirror-kit.svg anew."""

import csv
from dataclasses import dataclass
from pathlib import Path

from hw.wiring.drawing import MUTED, Box, Sheet, Wire

HW = Path(__file__).resolve().parents[1]
BOM = HW / "bom" / "mirror-kit.csv"
PINS = HW / "pins" / "mirror-kit.csv"
DRAWING = HW / "wiring" / "mirror-kit.svg"

#: The network half: who is connected to whom. Boxes without a designator belong to the site.
BOXES = (
    Box(
        "",
        "ward switch",
        30,
        70,
        200,
        100,
        ("ports of the ward's devices", "mirror port: sends only,", "copies both directions"),
    ),
    Box(
        "J1",
        "network card, leg eth1",
        390,
        70,
        220,
        90,
        ("no address, no ARP, no IPv6", "egress dropped; receives only", "tx_packets must stay 0"),
    ),
    Box(
        "U2",
        "carrier, with U1 computer",
        390,
        190,
        220,
        90,
        ("own port: management", "eMMC: system and spool", "in case E1, label L1"),
    ),
    Box(
        "",
        "management network",
        30,
        240,
        200,
        90,
        ("broker and time servers", "no way into the ward", "from here through wardtap"),
    ),
    Box("PS1", "supply, class II", 390, 320, 220, 50, ("not shared with any tap",)),
)
WIRES = (
    Wire(((230, 120), (390, 120)), "tap", "W1 receive only", arrow=True),
    Wire(((230, 260), (390, 260)), "management", "W2 TLS to the broker"),
    Wire(((500, 160), (500, 190)), "signal", ""),
    Wire(((500, 320), (500, 280)), "power", "", arrow=True),
)
#: Where the header starts, and how far pins and columns are apart, in drawing units.
HEADER_X, HEADER_Y, PITCH, COLUMNS = 840, 110, 22, 26

#: Characters of a part's name that fit a column of the key.
PART_LENGTH = 58


@dataclass(frozen=True)
class Pin:
    """A row of the pin table."""

    number: int
    signal: str
    use: str
    direction: str
    note: str

    @property
    def used(self) -> bool:
        """Whether the kit connects it."""
        return self.use != "unused"

    @property
    def kind(self) -> str:
        """The colour of its dot."""
        if self.signal == "GND":
            return "ground"
        return "power" if self.signal in {"3V3", "5V"} else "signal"


def read_pins() -> list[Pin]:
    """The pin table in its order."""
    with PINS.open(newline="", encoding="utf-8") as file:
        return [
            Pin(int(row["pin"]), row["signal"], row["use"], row["direction"], row["note"])
            for row in csv.DictReader(file)
        ]


def read_bom() -> list[dict[str, str]]:
    """The bill of materials, a dict for each line."""
    with BOM.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw_pin(sheet: Sheet, pin: Pin) -> None:
    """Odd pins left, even pins right, as seen from above with pin 1 at the top left."""
    right = pin.number % 2 == 0
    x = HEADER_X + (COLUMNS if right else 0)
    y = HEADER_Y + (pin.number - 1) // 2 * PITCH
    sheet.dot(x, y, pin.kind, filled=pin.used)
    words = f"{pin.number} {pin.signal}" if right else f"{pin.signal} {pin.number}"
    sheet.text(x + (12 if right else -12), y + 4, words, size=10, colour=MUTED, anchor="start" if right else "end")
    if pin.used:
        arrow = {"out": "\N{RIGHTWARDS ARROW}", "in": "\N{LEFTWARDS ARROW}", "both": "\N{LEFT RIGHT ARROW}"}.get(
            pin.direction, ""
        )
        words = f"{arrow} {pin.use}".strip()
        sheet.text(x + (80 if right else -80), y + 4, words, size=11, anchor="start" if right else "end")


def draw_key(sheet: Sheet) -> None:
    """What the parts behind the header are, from the bill of materials."""
    y = 420
    sheet.text(30, y, "Parts (bill of materials: hw/bom/mirror-kit.csv)", size=13)
    for number, row in enumerate(read_bom(), start=1):
        column, line = divmod(number - 1, 9)
        x = 30 + column * 330
        words = f"{row['ref']}  {row['part']}"
        sheet.text(
            x,
            y + 8 + (line + 1) * 17,
            words if len(words) <= PART_LENGTH else f"{words[: PART_LENGTH - 3]}...",
            size=10,
            colour=MUTED,
        )


def draw() -> str:
    """The drawing as SVG text."""
    sheet = Sheet("wardtap mirror kit: wiring", 1080, 620)
    sheet.text(30, 40, "wardtap mirror kit: wiring", size=18)
    sheet.text(HEADER_X + 13, 70, "40-pin header, from above", size=13, anchor="middle")
    sheet.text(
        HEADER_X + 13, 88, "arrow: seen from the computer; hollow: unused", size=10, colour=MUTED, anchor="middle"
    )
    for wire in WIRES:
        sheet.wire(wire)
    for box in BOXES:
        sheet.box(box)
    for pin in read_pins():
        draw_pin(sheet, pin)
    draw_key(sheet)
    return sheet.svg()


if __name__ == "__main__":
    DRAWING.write_text(draw(), encoding="utf-8")
