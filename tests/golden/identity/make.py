"""Who every device of the identity, medical and clinical captures is taken to be, beside who it is.

    python -m tests.golden.identity.make            prints the score
    python -m tests.golden.identity.make --write    writes tests/golden/identity.tsv and the table of docs/identity.md

The whole sensor is run over each file; truth.tsv says who is who and on whose word. A difference is a fault or a change
of what the packs say: then the new table is committed with the reason.
"""

import argparse
import sys
from pathlib import Path

from agent.devices.table import address_text
from agent.service.feed import decoded_bursts
from agent.service.lines import mac_or_none
from agent.tap.replay import ReplaySource
from tests.conftest import ROOT, captures_folder
from tests.golden.identity.score import Row, table
from tests.service.bench import Sensor, small

HERE = Path(__file__).parent
TABLE = HERE.parent / "identity.tsv"
PAGE = ROOT / "docs" / "identity.md"
TOPICS = ("identity", "medical", "clinical")
HEADING = "capture\tdevice\ttruth\tsaid\tconfidence\tvendor\tverdict"
BEGIN, END = "<!-- captures: begin -->", "<!-- captures: end -->"


def truth() -> dict[tuple[str, str], tuple[str, str]]:
    """(capture, device) -> (role, beginning of the maker's name)."""
    lines = [line for line in (HERE / "truth.tsv").read_text("utf-8").splitlines() if not line.startswith("#")]
    known = {}
    for line in lines[1:]:
        capture, device, role, vendor, _ = line.split("\t")
        known[capture, device] = (role, vendor)
    return known


def heard(path: Path) -> Sensor:
    """A sensor that has heard the file to its end. Its secret is fixed: which hosts hash alike decides small things."""
    sensor, source = Sensor(small()), ReplaySource([path])
    for decoded in decoded_bursts(source, sensor.pipeline.decode):
        sensor.pipeline.note_legs(source.legs())
        for _ in sensor.pipeline.take_steps(decoded):
            pass
    sensor.pipeline.settle()
    sensor.pipeline.drain()
    source.close()
    return sensor


def rows(captures: Path) -> list[Row]:
    """Every device of every capture, by name. Of a link without MACs a device is named by its first address."""
    known, found = truth(), []
    for path in sorted(path for topic in TOPICS for path in (captures / topic).glob("*.pcap*")):
        name = f"{path.parent.name}/{path.name.partition('.')[0]}"
        pipeline = heard(path).pipeline
        for slot in pipeline.table.occupied().tolist():
            addresses = [address_text(hi, lo) for hi, lo in pipeline.table.addresses(slot)]
            device = mac_or_none(pipeline.ward.mac(slot)) or next(iter(addresses), "-")
            identity = pipeline.ward.identity(slot)
            role, maker = known.get((name, device), ("", ""))
            found.append(Row(name, device, role, identity.role, identity.confidence, maker, identity.vendor))
    return sorted(found)


def text(found: list[Row]) -> str:
    """The table as it is committed."""
    lines = [
        "\t".join((row.capture, row.device, row.truth, row.said, f"{row.confidence:.2f}", row.vendor, row.verdict()))
        for row in found
    ]
    return "\n".join([HEADING, *lines]) + "\n"


def page(found: list[Row], before: str) -> str:
    """docs/identity.md with the figures of today."""
    head, rest = before.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return "\n".join([head + BEGIN, *table(found), END]) + tail


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a bar is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    captures = captures_folder()
    if captures is None:
        sys.exit("needs the folder of captures (WARDTAP_CAPTURES)")
    found = rows(captures)
    sys.stdout.write("\n".join(table(found)) + "\n")
    bad = [row for row in found if row.verdict() == "WRONG" or row.vendor_wrong()]
    sys.stdout.writelines(f"not right: {row}\n" for row in bad)
    if given.write:
        TABLE.write_text(text(found), "utf-8")
        PAGE.write_text(page(found, PAGE.read_text("utf-8")), "utf-8")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
