"""A leg of several rings without an interface: which filter each ring is given, and what is added up."""

from contextlib import ExitStack
from typing import Any, Self

import pytest

from agent.errors import InputError
from agent.tap import leg as legs
from agent.tap.fanout import share_program
from agent.tap.leg import Leg, Shares
from agent.tap.link import Counters, Link
from agent.tap.packet_socket import NOTHING, RingCounts, geometry

SHAPE = geometry(1 << 20)
ETH1 = Link(7, "eth1", 1, True, True, Counters(0, 0, 0, 0))
PASS: list[tuple[int, int, int, int]] = [(6, 0, 0, 5)]


class Ring:
    """A ring that remembers what happened to it."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.told.append("closed")


class Kernel:
    """What a leg asks of the kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, group: bool) -> None:
        self.rings: list[Ring] = []
        self.links: dict[str, Link] = {"eth1": ETH1}
        self._group = group
        for name in (
            "open_socket",
            "make_ring",
            "attach",
            "leave",
            "set_filter",
            "clear_filter",
            "read_counts",
            "join",
        ):
            monkeypatch.setattr(legs, name, getattr(self, name))

    def open_socket(self, _: str) -> Ring:
        self.rings.append(Ring())
        return self.rings[-1]

    def make_ring(self, ring: Ring, *_: object) -> None:
        ring.told.append("ring")

    def attach(self, ring: Ring, link: Link) -> None:
        ring.told.append(link.number)

    def leave(self, ring: Ring, number: int) -> None:
        ring.told.append(-number)

    def set_filter(self, ring: Ring, program: Any) -> None:
        ring.told.append(program)

    def clear_filter(self, ring: Ring) -> None:
        ring.told.append("all")

    def join(self, *_: object) -> bool:
        return self._group

    def read_counts(self, _: Ring) -> RingCounts:
        return RingCounts(10, 3, 1)

    def named(self, name: str) -> Link | None:
        return self.links.get(name)

    def numbered(self, number: int) -> Link | None:
        return next((link for link in self.links.values() if link.number == number), None)


def taken_up(kernel: Kernel, workers: int) -> Leg:
    """A leg that hears."""
    made = Leg("eth1", kernel, SHAPE, Shares(workers, 99), ExitStack())  # type: ignore[arg-type]
    made.take_up()
    return made


def test_one_worker_has_one_socket_and_no_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=True)
    leg = taken_up(kernel, 1)
    leg.hear(None)
    assert [ring.told for ring in kernel.rings] == [["ring", NOTHING, 7, "all"]]
    assert not leg.grouped


def test_in_a_group_the_kernel_shares_out_and_filters_only_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=True)
    leg = taken_up(kernel, 2)
    leg.hear(PASS)
    leg.hear(NOTHING)
    assert leg.grouped
    assert [ring.told for ring in kernel.rings] == [["ring", NOTHING, 7, PASS, NOTHING]] * 2 + [[], []]


def test_without_a_group_every_ring_filters_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=False)
    leg = taken_up(kernel, 2)
    leg.hear(None)
    leg.hear(PASS)
    leg.hear(NOTHING)
    for worker, ring in enumerate(kernel.rings[:2]):
        mine = [share_program(99, worker, 2, 14), share_program(99, worker, 2, 14, PASS)]
        assert ring.told == ["ring", NOTHING, 7, *mine, NOTHING]


def test_another_interface_under_the_name_is_moved_to(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=False)
    leg = taken_up(kernel, 1)
    assert leg.look(0) is None
    kernel.links["eth1"] = ETH1._replace(number=9)
    other = leg.look(1)
    assert other == kernel.links["eth1"]
    leg.move(other)
    assert kernel.rings[0].told[-2:] == [9, -7]
    assert leg.look(2) is None
    kernel.links["eth1"] = ETH1._replace(number=11, kind=801)
    assert leg.look(3) is None, "another kind of interface cannot be this leg"


def test_spare_rings_take_over_from_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=True)
    leg = taken_up(kernel, 2)
    leg.hear(PASS)
    old, spare = kernel.rings[:2], kernel.rings[2:]
    assert leg.replace() == spare
    assert all(ring.told[-1] == "closed" for ring in old)
    for worker, ring in enumerate(spare):
        assert ring.told == ["ring", share_program(99, worker, 2, 14, PASS)], "it filters before it hears"
    assert not leg.grouped
    leg.move(ETH1._replace(number=9))
    assert [ring.told[-2:] for ring in spare] == [[9, -7]] * 2


def test_counts_of_all_rings_add_up_and_those_of_replaced_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    leg = taken_up(Kernel(monkeypatch, group=True), 2)
    first = leg.counts(14, 1)
    assert (first.received, first.dropped, first.frozen, first.frames) == (20, 6 + 1, 2, 14)
    leg.replace()
    assert leg.counts(14, 1).received == 20 + 20 + 20


def test_a_leg_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, group=True)
    kernel.links = {"eth1": ETH1._replace(kind=801)}
    with pytest.raises(InputError, match="ARPHRD 801"):
        taken_up(kernel, 2)
    kernel.links = {}
    with pytest.raises(InputError, match="no such interface"):
        taken_up(kernel, 2)
