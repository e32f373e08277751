"""Who deals with whom: what is known again, what is forgotten, and that no name is kept."""

from collections.abc import Callable

import pytest

from agent.findings import peers
from agent.findings.peers import Bond, Peers, Visitors

NOW_S = 1_793_606_400
A, B = (0, 0x0A140101), (0, 0x0A140102)
MAC, OTHER = 0x00D07518_0001, 0x00D07518_0002


def resumed(before: Peers) -> Peers:
    """As after a restart."""
    after = Peers()
    after.resume(before.kept(), NOW_S)
    return after


def test_a_server_is_another_one_once() -> None:
    held = Peers()
    assert held.reports_to(MAC, 2575, A, 10) is None
    assert held.reports_to(MAC, 2575, A, 20) is None
    assert held.reports_to(MAC, 104, B, 20) is None, "another port"
    assert held.reports_to(MAC, 2575, B, 30) == Bond(A, 10)
    assert held.reports_to(MAC, 2575, B, 40) is None
    assert held.reports_to(MAC, 2575, A, 50) == Bond(B, 30), "and when it goes back"


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
        lambda held: held.reports_to(MAC, 2575, A, 10),
        lambda held: held.know_title(MAC, 7),
        lambda held: held.know_receiver(MAC, A),
        lambda held: held.know_host(7, MAC),
        lambda held: held.meet([MAC], NOW_S),
        lambda held: held.settle(),
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
    held.settle()
    assert not held.resumed
    held.meet([OTHER], NOW_S - 5)
    held.visitors.come(5, 20_000)
    held.visitors.come(2, 20_002)
    held.reports_to(MAC, 2575, A, 10)
    held.know_title(MAC, held.digest("CT_WARD3"))
    held.know_receiver(MAC, A)
    held.know_host(held.digest("PIICIX"), MAC)
    again = resumed(held)
    assert again.resumed
    assert again.kept() == held.kept()
    assert again.reports_to(MAC, 2575, B, 30) == Bond(A, 10)
    assert again.digest("CT_WARD3") in (again.titles(MAC) or {})
    assert again.receives(A)
    assert (again.knew(OTHER), again.knew(MAC), held.knew(OTHER)) == (True, False, False)
    assert again.visitors == held.visitors
    assert list(again.hosts(again.digest("PIICIX"))) == [MAC]
    assert Peers().digest("CT_WARD3") != held.digest("CT_WARD3"), "each tap has a salt of its own"


def test_a_memory_of_a_run_that_never_settled_is_no_judge() -> None:
    held = Peers()
    held.meet([MAC], NOW_S)
    assert not resumed(held).resumed
    held.settle()
    assert resumed(held).resumed
    assert resumed(resumed(held)).resumed, "nor does a short run in between undo it"


def test_a_card_is_kept_for_a_month_and_without_any_nothing_is_known() -> None:
    held, month_s = Peers(), peers.CARD_KEPT_S
    held.settle()
    held.meet([MAC, OTHER], NOW_S - month_s - 1)
    assert not resumed(held).resumed, "a tap that was off for so long, or stands elsewhere"
    held.hear([OTHER, 77], [NOW_S - month_s, NOW_S])
    again = resumed(held)
    assert (again.resumed, again.knew(OTHER), again.knew(MAC), again.knew(77)) == (True, True, False, False)
    assert [mac for mac, _ in again.kept().cards] == [OTHER]


def test_a_clock_that_ran_ahead_delays_nothing() -> None:
    held = Peers()
    held.reports_to(MAC, 2575, A, 10**18)
    assert held.reports_to(MAC, 2575, A, 5) is None
    assert held.reports_to(MAC, 2575, B, 30) == Bond(A, 5)


def test_visitors_are_counted_by_day() -> None:
    visitors = Visitors()
    for day, count in ((9, 3), (9, 4), (10, 1), (13, 2)):
        visitors.come(count, day)
    assert (visitors.today, list(visitors.days)) == (2, [7, 1, 0, 0])
    visitors.come(1, 1000)
    assert list(visitors.days) == [0] * peers.DAYS_KEPT


def test_each_is_bounded_and_forgets_the_longest_silent() -> None:
    held = Peers()
    for number in range(1, 2000):
        held.reports_to(number, 2575, A, 10)
        held.know_title(number, number)
        held.know_title(MAC, number)
        held.know_receiver(number, (0, number))
        held.know_receiver(MAC, (0, number))
        held.know_host(number, MAC)
        held.know_host(7, number)
        held.meet([number, 3000 + number, 6000 + number], NOW_S)
    kept = held.kept()
    assert len(kept.servers) == peers.SERVERS_MAX
    assert len(kept.titles) == peers.HOSTS_MAX
    assert len(kept.receivers) == peers.SENDERS_MAX
    assert len(kept.senders) == peers.NAMES_MAX
    assert len(kept.cards) == peers.CARDS_MAX
    assert kept.cards[0] == (1, NOW_S), "who was there first stays"
    assert len(held.titles(MAC) or {}) == peers.TITLES_OF_ONE_MAX
    assert len(held.receivers(MAC)) == peers.RECEIVERS_OF_ONE_MAX
    assert len(held.hosts(7)) == peers.HOSTS_OF_A_NAME_MAX
    assert not held.receives((0, 1))
    assert held.receives((0, 1999))
    assert len(resumed(held)._receivers) <= peers.RECEIVERS_MAX
