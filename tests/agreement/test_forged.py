"""Every frame that has a name in tests/naive/frames.py, as tshark reads it: a third reader of the same standards."""

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.agreement.compare import compare
from tests.agreement.records import replayed
from tests.agreement.tshark import PROGRAM, Told, told
from tests.forge.pcap import Frame, Pcap
from tests.naive.frames import frames
from tests.simulators.bursts import THIN

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no tshark here: install Debian's tshark"),
    pytest.mark.skipif(THIN > 1, reason="too long without the JIT"),
]
# Where the two readers differ, and why: docs/agreement.md, "Where the definitions differ".
OTHERWISE = {
    "sctp-tiny": "tshark shows SCTP's ports only with its whole header",
    "ip6-length-0": "tshark takes a payload length of 0 as no payload, wardtap as a super-packet",
    "udp-short": "tshark's Community ID leaves the ports out where UDP's length is a lie; the reference does not",
    "vxlan-no-flag": "tshark enters VXLAN by its port, wardtap by its flag",
    "ipv4-is-6": "tshark believes the link type, wardtap the version field",
}


@cache
def differences(folder: Path) -> dict[str, list[str]]:
    """Of each frame, by its name. tshark reads all of a link type at once."""
    by_link: dict[int, list[tuple[str, Frame]]] = defaultdict(list)
    for number, (name, octets, link) in enumerate(frames()):
        by_link[link].append((name, Frame(number * 10**12, octets)))
    found = {}
    for link, named in by_link.items():
        path = folder / f"{link}.pcap"
        path.write_bytes(Pcap(link).octets([frame for _, frame in named]))
        for (name, frame), dissected in zip(named, told(path).frames, strict=True):
            path.write_bytes(Pcap(link).octets([frame]))
            found[name] = compare(Told([dissected], Counter()), replayed(path)).differences
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the forged captures."""
    return tmp_path_factory.mktemp("forged")


@pytest.mark.parametrize("name", [name for name, _, _ in frames() if name not in OTHERWISE])
def test_a_frame_is_read_alike(name: str, folder: Path) -> None:
    assert not differences(folder)[name]


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_definition_differs(name: str, folder: Path) -> None:
    assert differences(folder)[name], f"no longer: {OTHERWISE[name]}"
