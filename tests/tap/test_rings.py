"""All legs together: where their rings lie, and that what was opened is closed when one of them cannot be had."""

import pytest

from agent.clock import SystemClock
from agent.errors import InputError
from agent.tap import rings
from agent.tap.rings import Rings
from tests.tap.test_leg import ETH1, Kernel

MIB = 1 << 20


def test_the_buffer_is_shared_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, laid = Kernel(monkeypatch, group=True), list[int]()
    kernel.links |= {"eth2": ETH1._replace(name="eth2", number=8)}
    monkeypatch.setattr(rings, "Links", lambda: kernel)
    monkeypatch.setattr(kernel, "close", lambda: None, raising=False)
    monkeypatch.setattr(rings, "lay_ring", lambda _octets, number, *_: laid.append(number))
    monkeypatch.setattr("agent.tap.ring_reader.RingReader._listen", lambda *_: None)
    made = Rings(["eth1", "eth2"], 32 * MIB, "", SystemClock(), 2)
    assert laid == [0, 2, 1, 3], "the rings of one worker lie behind each other"
    assert made._shape.ring_bytes == 16 * MIB
    assert [reader._table[:, 0].tolist() for reader in made.readers] == [[0, 16 * MIB], [32 * MIB, 48 * MIB]]
    made.close()
    assert all(ring.told[-1] == "closed" for ring in kernel.rings)


def test_what_was_opened_is_closed_when_a_leg_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=True)
    monkeypatch.setattr(rings, "Links", lambda: kernel)
    monkeypatch.setattr(kernel, "close", lambda: None, raising=False)
    with pytest.raises(InputError, match="no such interface"):
        Rings(["eth1", "eth2"], 4 * MIB, "", SystemClock(), 2)
    assert all(ring.told[-1] == "closed" for ring in kernel.rings)
