"""Drawn addresses are one host's where a drawn number says so and time allows it, and else never."""

import random

import pytest

from agent.devices.folding import Fold, Folding, named_by_itself

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
        ("Annas-iPhone", False),
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
