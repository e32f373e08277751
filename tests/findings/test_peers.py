"""Who deals with whom: what is known again, what is forgotten, and that no name is kept."""

from collections.abc import Callable

import pytest

from agent.findings import peers
from agent.findings.peers import Bond, Peers

A, B = (0, 0x0A140101), (0, 0x0A140102)
MAC, OTHER = 0x00D07518_0001, 0x00D07518_0002


def resumed(before: Peers) -> Peers:
    """As after a restart."""
    after = Peers()
    after.resume(before.kept())
    return after


def test_a_server_is_another_one_once() -> None:
    held = Peers()
    assert held.server(MAC, 2575, A, 10) is None
    assert held.server(MAC, 2575, A, 20) is None
    assert held.server(MAC, 104, B, 20) is None, "another port"
    assert held.server(MAC, 2575, B, 30) == Bond(A, 10)
    assert held.server(MAC, 2575, B, 40) is None
    assert held.server(MAC, 2575, A, 50) == Bond(B, 30), "and when it goes back"


def test_titles_receivers_and_names() -> None:
    held = Peers()
    title, name = held.digest("CT_WARD3"), held.digest("PIICIX")
    assert held.digest("") == 0
    assert title != name
    assert held.titles(MAC) is None
    held.know_title(MAC, 0)
    assert held.titles(MAC) == {}, "it called without a title"
    held.know_title(MAC, title)
    assert (held.owner(title, besides=OTHER), held.owner(title, besides=MAC)) == (MAC, 0)
    assert not held.receives(A)
    held.know_receiver(MAC, A)
    assert (held.receives(A), list(held.receivers(MAC)), held.receivers(OTHER)) == (True, [A], {})
    held.know_host(name, MAC)
    held.know_host(name, OTHER)
    assert list(held.hosts(name)) == [MAC, OTHER]


@pytest.mark.parametrize(
    "meet",
    [
        lambda held: held.server(MAC, 2575, A, 10),
        lambda held: held.know_title(MAC, 7),
        lambda held: held.know_receiver(MAC, A),
        lambda held: held.know_host(7, MAC),
    ],
)
def test_what_is_new_is_worth_saving_and_what_is_known_is_not(meet: Callable[[Peers], object]) -> None:
    held = Peers()
    assert not held.changed
    meet(held)
    assert held.changed
    held.changed = False
    meet(held)
    assert not held.changed


def test_all_of_it_outlives_a_restart() -> None:
    held = Peers()
    assert not held.resumed
    held.server(MAC, 2575, A, 10)
    held.know_title(MAC, held.digest("CT_WARD3"))
    held.know_receiver(MAC, A)
    held.know_host(held.digest("PIICIX"), MAC)
    again = resumed(held)
    assert again.resumed
    assert again.kept() == held.kept()
    assert again.server(MAC, 2575, B, 30) == Bond(A, 10)
    assert again.digest("CT_WARD3") in (again.titles(MAC) or {})
    assert again.receives(A)
    assert list(again.hosts(again.digest("PIICIX"))) == [MAC]
    assert Peers().digest("CT_WARD3") != held.digest("CT_WARD3"), "each tap has a salt of its own"


def test_each_is_bounded_and_forgets_the_longest_silent() -> None:
    held = Peers()
    for number in range(1, 2000):
        held.server(number, 2575, A, 10)
        held.know_title(number, number)
        held.know_title(MAC, number)
        held.know_receiver(number, (0, number))
        held.know_receiver(MAC, (0, number))
        held.know_host(number, MAC)
        held.know_host(7, number)
    kept = held.kept()
    assert len(kept.servers) == peers.SERVERS_MAX
    assert len(kept.titles) == peers.HOSTS_MAX
    assert len(kept.receivers) == peers.SENDERS_MAX
    assert len(kept.senders) == peers.NAMES_MAX
    assert len(held.titles(MAC) or {}) == peers.TITLES_OF_ONE_MAX
    assert len(held.receivers(MAC)) == peers.RECEIVERS_OF_ONE_MAX
    assert len(held.hosts(7)) == peers.HOSTS_OF_A_NAME_MAX
    assert not held.receives((0, 1))
    assert held.receives((0, 1999))
    assert len(resumed(held)._receivers) <= peers.RECEIVERS_MAX
