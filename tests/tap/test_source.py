"""Every backend is a Source, and says what a Source must say."""

from pathlib import Path
from typing import get_type_hints

from agent.errors import InputError
from agent.tap.pcapy_live import PcapyLive
from agent.tap.records import Burst, LegCounts
from agent.tap.replay import ReplaySource
from agent.tap.source import Source
from tests.forge.pcap import Frame, Pcap


def test_replay_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(Pcap().octets([Frame(1, b"x" * 60)]))
    source: Source = ReplaySource([path])
    assert not source.live
    burst = source.next_burst()
    assert isinstance(burst, Burst)
    assert burst.count == 1
    while source.next_burst() is not None:
        pass
    assert source.faults == []
    assert source.legs() == [LegCounts("file", 1, 0, 0, 0)]
    source.close()


def test_live_backend_has_the_same_face() -> None:
    for name in ("next_burst", "legs", "close"):
        assert get_type_hints(getattr(PcapyLive, name)) == get_type_hints(getattr(Source, name))
    assert PcapyLive.live is True
    assert get_type_hints(PcapyLive).get("faults", list[InputError]) == list[InputError]
