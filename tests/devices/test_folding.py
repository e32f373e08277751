"""Drawn addresses are one host's where a drawn number says so and time allows it, and else never."""

import random

import pytest

from agent.devices.folding import OWNED_ADDRESSES_MAX, REST_NS, Fold, Folding, named_by_itself

A, B, C = 0x02A1_1900_0001, 0x02A1_1900_0002, 0x02A1_1900_0003
OPTIONS = "1,3,6,15,26,28,51,58,59,43"


def said(host: str, options: str = OPTIONS, vendor: str = "android-dhcp-9") -> set[tuple[str, str]]:
    return {("dhcp.host", host), ("dhcp.options", options), ("dhcp.vendor", vendor), ("dhcp.message", "request")}


@pytest.mark.parametrize(
    ("host", "is_drawn"),
    [
        ("android-4f3a9c1be07d2265", True),
        ("Android-4F3A9C1BE07D", True),
        ("DESKTOP-7H2K9QA", True),
        ("LAPTOP-0A1B2C3D", True),
        ("android-4f3a9c1b", False),  # short: chosen by somebody
        ("android-pixel7-of-anna", False),
        ("iPhone", False),
        ("Galaxy-S21", False),
        ("SM-G991B", False),
        ("DESKTOP-7H2K9QA.ward", False),
        ("", False),
        ("android-" + "4" * 300, False),
    ],
)
def test_which_names_a_system_drew(host: str, is_drawn: bool) -> None:
    assert bool(named_by_itself(said(host))) is is_drawn


def test_the_whole_fingerprint_must_be_the_same_and_be_there() -> None:
    host = "android-4f3a9c1be07d2265"
    key = named_by_itself(said(host))
    assert named_by_itself(said(host.upper())) == key
    assert named_by_itself(said(host, vendor="android-dhcp-13")) != key
    assert named_by_itself(said(host, options="1,3,6")) != key
    assert not named_by_itself({("dhcp.host", host)})
    assert not named_by_itself(said(host) | said("android-000000000000"))
    assert not named_by_itself(said(host) | said(host, options="1,3"))


def test_one_after_the_other_is_one_host_and_the_last_stands_for_it() -> None:
    folding = Folding()
    for mac in (B, C, A):
        folding.claim("k", mac)
    lived = {A: (30, 40), B: (1, 9), C: (10, 20)}
    assert list(folding.folds(lived.get)) == [Fold((B, C, A))]
    del lived[A]
    assert list(folding.folds(lived.get)) == [Fold((B, C))], "who has no slot is not there"


@pytest.mark.parametrize("spans", [((1, 10), (5, 20)), ((1, 10), (10, 20)), ((1, 30), (5, 6))])
def test_two_at_once_are_two_and_stay_two(spans: tuple[tuple[int, int], tuple[int, int]]) -> None:
    folding = Folding()
    folding.claim("k", A)
    folding.claim("k", B)
    assert not list(folding.folds(dict(zip((A, B), spans, strict=True)).get))
    assert not list(folding.folds({A: (1, 2), B: (3, 4)}.get)), "a number that two used joins nobody any more"
    folding.claim("k", C)
    assert not list(folding.folds({A: (1, 2), C: (3, 4)}.get))


def test_what_an_address_says_first_counts() -> None:
    folding = Folding()
    folding.claim("k", A)
    folding.claim("l", A)
    folding.claim("", A)
    folding.claim("l", B)
    assert not list(folding.folds({A: (1, 2), B: (3, 4)}.get))


def test_a_flood_of_numbers_and_addresses_stays_within_its_room() -> None:
    rng = random.Random(4)
    folding = Folding(hosts_max=5, addresses_max=3)
    for n in range(2000):
        folding.claim(f"k{rng.randrange(50)}", rng.randrange(1, 400))
        if n % 7 == 0:
            folding.forget(rng.randrange(1, 400))
        assert len(folding) <= 15
        for fold in folding.folds(lambda mac: (2 * mac, 2 * mac + 1)):
            assert 2 <= len(fold.macs) <= 3
            assert list(fold.macs) == sorted(fold.macs)
    for mac in range(400):
        folding.forget(mac)
    assert not len(folding)
    assert not list(folding.folds(lambda mac: (mac, mac)))


ANNA = named_by_itself(said("Annas-iPhone", vendor=""))
HOUR, DAY = REST_NS // 24, REST_NS


def spans(*hours: tuple[int, int]) -> dict[int, tuple[int, int]]:
    """When A, B and C were heard first and last."""
    return {mac: (first * HOUR, last * HOUR) for mac, (first, last) in zip((A, B, C), hours, strict=False)}


def owned_by(key: str, *macs: int) -> Folding:
    """Addresses that said one key."""
    folding = Folding()
    for mac in macs:
        folding.claim(key, mac)
    return folding


def test_an_owners_name_is_a_key_with_its_stack() -> None:
    assert ANNA
    assert named_by_itself(said("ANNAS-IPHONE", vendor="")) == ANNA
    assert named_by_itself(said("Annas-iPhone", vendor="") | {("dhcp.size", "1500")}) not in {"", ANNA}
    assert named_by_itself(said("Bertas-iPhone", vendor="")) != ANNA
    for maker in ("iPhone", "iPad", "Galaxy-S21", "SM-G991B", "Pixel-7-Pro", "Nurses-iPad"):
        assert not named_by_itself(said(maker)), "many carry it"


def test_an_owners_phone_with_a_new_address_is_one_after_a_day_of_silence() -> None:
    folding = owned_by(ANNA, A, B)
    assert not list(folding.folds(spans((0, 8), (9, 31)).get)), "the first may yet come back"
    assert list(folding.folds(spans((0, 8), (9, 32)).get)) == [Fold((A, B), by_owner=True)]


def test_the_newest_address_waits_for_its_day() -> None:
    folding = owned_by(ANNA, A, B, C)
    heard = spans((0, 8), (9, 40), (41, 50))
    assert list(folding.folds(heard.get)) == [Fold((A, B), by_owner=True)]
    heard[C] = (41 * HOUR, 64 * HOUR)
    assert list(folding.folds(heard.get)) == [Fold((A, B, C), by_owner=True)]


def test_two_people_of_one_name_who_work_in_shifts_are_two() -> None:
    """Never at the same time, but the first is back on the next day, before anything was joined."""
    folding = owned_by(ANNA, A, B)
    assert not list(folding.folds(spans((0, 8), (9, 16)).get))
    assert not list(folding.folds(spans((0, 26), (9, 16)).get))
    assert not list(folding.folds(spans((0, 26), (100, 200)).get)), "and what two hold joins nobody any more"


def test_who_comes_back_later_parts_them() -> None:
    folding = owned_by(ANNA, A, B)
    assert list(folding.folds(spans((0, 8), (9, 40)).get))
    assert not list(folding.folds(spans((0, 50), (9, 60)).get))
    folding.claim(ANNA, C)
    assert not list(folding.folds({A: (1, 2), C: (3, 3 * DAY)}.get))


def test_one_name_with_two_stacks_is_two_devices() -> None:
    folding = owned_by(ANNA, A, B)
    folding.claim(named_by_itself(said("Annas-iPhone", options="1,121,3,6", vendor="")), C)
    assert not list(folding.folds(spans((0, 8), (9, 99)).get))


def test_a_name_that_many_addresses_say_is_worth_nothing() -> None:
    macs = range(A, A + OWNED_ADDRESSES_MAX + 1)
    heard = {mac: (n * 2 * DAY, n * 2 * DAY + 1) for n, mac in enumerate(macs)}
    assert list(owned_by(ANNA, *macs[:-1]).folds(heard.get))
    assert not list(owned_by(ANNA, *macs).folds(heard.get))
