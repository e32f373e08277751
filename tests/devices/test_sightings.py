"""Facts of payloads for the judge: chosen kinds only, in order, bounded."""

from typing import NamedTuple

from agent.devices.records import Sighting
from agent.devices.sightings import KINDS_SIGHTED, SIGHTINGS_MAX, Sightings, address_of
from agent.packets.hints.records import KINDS, Signal


class Ends(NamedTuple):
    """Between whom."""

    source: int = 0xA
    destination: int = 0xB
    sender: int = 1
    receiver: int = 2
    time_ns: int = 7


def test_only_what_a_detector_asks_for_is_kept() -> None:
    book = Sightings()
    book.note(Ends(), [Signal("http.host", "a"), Signal("credentials.clear", "ftp", about_peer=True)])
    assert len(book) == 1
    assert book.take() == [Sighting(7, "credentials.clear", "ftp", 0xA, 0xB, 1, 2, about_peer=True)]
    assert book.take() == []


def test_every_kind_is_one_that_a_reader_gives() -> None:
    assert set(KINDS) >= KINDS_SIGHTED


def test_a_flood_is_bounded_and_counted() -> None:
    book = Sightings()
    for _ in range(SIGHTINGS_MAX + 5):
        book.note(Ends(), [Signal("credentials.clear", "ftp")])
    assert (len(book), book.left_out) == (SIGHTINGS_MAX, 5)
    assert len(book.take()) == SIGHTINGS_MAX


def test_addresses_are_numbers() -> None:
    assert address_of(b"\x0a\x00\x00\x01") == 0xFFFF_0A00_0001
    assert address_of(bytes(15) + b"\x01") == 1
    assert address_of(b"") == 0
