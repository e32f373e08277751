"""Every backend is a Source, and says what a Source must say."""

from pathlib import Path
from typing import get_type_hints

import pytest

from agent.errors import InputError, PermissionNeeded
from agent.tap.pcapy_live import PcapyLive
from agent.tap.records import Burst, LegCounts
from agent.tap.replay import ReplaySource
from agent.tap.ring import RingLive
from agent.tap.source import Source, cannot_listen
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


@pytest.mark.parametrize("backend", [PcapyLive, RingLive])
def test_live_backends_have_the_same_face(backend: type[PcapyLive | RingLive]) -> None:
    for name in ("next_burst", "legs", "deafen", "close"):
        assert get_type_hints(getattr(backend, name)) == get_type_hints(getattr(Source, name))
    assert backend.live is True


@pytest.mark.parametrize("reason", ["Operation not permitted", "permission denied"])
def test_what_is_missing_is_a_permission(reason: str) -> None:
    error = cannot_listen("eth1", reason)
    assert isinstance(error, PermissionNeeded)
    assert "CAP_NET_RAW" in error.todo


def test_what_is_missing_is_an_interface() -> None:
    error = cannot_listen("eth1", "no such interface")
    assert isinstance(error, InputError)
    assert str(error) == "eth1: cannot listen: no such interface (`ip -br link` lists the interfaces)"
