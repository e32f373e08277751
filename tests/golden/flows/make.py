"""Flow records of the recorded ward and of small forged captures, as JSON Lines.

    python -m tests.golden.flows.make        writes captures and records anew

A difference is either a fault or a change of what a record says: then the new files are committed with the reason.
"""

import contextlib
import gzip
import io
import json
from pathlib import Path

from agent.config import Config
from agent.service.replay import Wanted, replay
from tests.conftest import ROOT
from tests.forge.pcap import Pcap, write
from tests.golden.flows.cases import CASES

HERE = Path(__file__).parent
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"
CAPTURES: dict[str, Path] = {name: HERE / f"{name}.pcap" for name in CASES} | {"ward": WARD}


def capture(name: str) -> bytes:
    """A forged capture file."""
    return Pcap(nanoseconds=True).octets(CASES[name]())


def records(path: Path) -> bytes:
    """The flow lines of a replay with the configuration as shipped, sorted: their order is no part of what is said."""
    out = io.StringIO()
    with contextlib.redirect_stderr(io.StringIO()):
        replay(
            [path], Config(), Wanted(json=True, flows=True, plain_names=True), out
        )  # pseudonyms differ with each key
    lines = [line for line in out.getvalue().splitlines() if line.startswith('{"type":"flow"')]
    lines.sort(key=lambda line: (json.loads(line)["first"], line))
    return "".join(f"{line}\n" for line in lines).encode()


def place(name: str) -> Path:
    """Where the records of a capture are; the ward's are packed."""
    return HERE / (f"{name}.jsonl.gz" if name == "ward" else f"{name}.jsonl")


def stored(name: str) -> bytes:
    """The committed records."""
    octets = place(name).read_bytes()
    return gzip.decompress(octets) if name == "ward" else octets


def main() -> None:
    """Write everything anew."""
    for name, path in CAPTURES.items():
        if name in CASES:
            path.write_bytes(capture(name))
        write(place(name), records(path))


if __name__ == "__main__":
    main()
