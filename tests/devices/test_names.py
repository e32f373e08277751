"""Names by address: what is believed, and what a liar can do."""

import random

import pytest

from agent.devices.names import HELD_NS, NameBook, registered
from agent.packets.hints import dns
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind
from tests.packets.hints.payloads import PAYLOADS
from tests.packets.hints.payloads import dns as message

SERVER, LIAR, PHONE = 0xD4AE52772011, 0xB827EB000001, 0x3C286D1044A1
EHR = b"\x0a\x29\x07\x0a"


def answer(name: str, address: bytes = EHR) -> Signal:
    """A DNS answer."""
    return Signal("dns.answer", name, None, address)


@pytest.fixture
def book() -> NameBook:
    """As in the sensor."""
    return NameBook()


def test_an_answer_names_an_address(book: NameBook) -> None:
    for signal in dns.read_answer(PAYLOADS[HintKind.DNS_ANSWER][0]):
        book.learn(SERVER, signal, 0)
    assert book.name(EHR) == "ehr.example"
    assert book.name(b"\x0a\x29\x07\x0b") == ""


def test_an_alias_is_known_by_the_name_that_was_asked(book: NameBook) -> None:
    chain = message(0x8180, [("portal.example", 1)], [("portal.example", 5, b"\1x\7example\0"), ("x.example", 1, EHR)])
    for signal in dns.read_answer(chain):
        book.learn(SERVER, signal, 0)
    assert book.name(EHR) == "portal.example"


def test_the_newest_answer_of_the_same_server_counts(book: NameBook) -> None:
    book.learn(SERVER, answer("old.example"), 0)
    book.learn(SERVER, answer("new.example"), 1)
    assert (book.name(EHR), len(book), book.disputed) == ("new.example", 1, 0)


def test_another_sender_cannot_rename_what_is_held(book: NameBook) -> None:
    book.learn(SERVER, answer("ehr.example"), 0)
    book.learn(LIAR, answer("evil.example"), HELD_NS - 1)
    assert (book.name(EHR), book.disputed) == ("ehr.example", 1)
    book.learn(LIAR, answer("ehr.example"), HELD_NS - 1)
    assert book.disputed == 1, "the same word is no dispute"
    book.learn(SERVER, answer("ehr.example"), HELD_NS - 1)
    book.learn(LIAR, answer("evil.example"), HELD_NS + 1)
    assert book.name(EHR) == "ehr.example", "confirmed in between"
    book.learn(LIAR, answer("other.example"), 3 * HELD_NS)
    assert book.name(EHR) == "other.example", "a server that was replaced"


def test_dns_counts_more_than_a_device_s_own_word(book: NameBook) -> None:
    own = Signal("mdns.host", "cart-7", None, EHR)
    book.learn(PHONE, own, 0)
    assert book.name(EHR) == "cart-7"
    book.learn(SERVER, answer("ehr.example"), 1)
    book.learn(PHONE, own, 2 * HELD_NS)
    assert book.name(EHR) == "ehr.example"
    book.learn(SERVER, Signal("mdns.host", "server", None, EHR), 3)
    assert book.name(EHR) == "ehr.example", "not even the server's own other word"


@pytest.mark.parametrize(
    "address",
    [
        b"",
        b"\0\0\0\0",
        b"\x7f\0\0\1",
        b"\xe0\0\0\xfb",
        b"\xff\xff\xff\xff",
        b"\xff\2" + bytes(14),
        bytes(15) + b"\1",
        b"123",
    ],
)
def test_addresses_of_nobody_have_no_name(book: NameBook, address: bytes) -> None:
    book.learn(SERVER, answer("x.example", address), 0)
    assert len(book) == 0


def test_other_signals_say_nothing_here(book: NameBook) -> None:
    book.learn(SERVER, Signal("dhcp.router", "offer", None, EHR), 0)
    book.learn(SERVER, answer(""), 0)
    assert len(book) == 0


def address(number: int) -> bytes:
    """Of a host somewhere."""
    return (0x0B000000 + number).to_bytes(4, "big")


def test_a_flood_of_names_drives_out_its_own() -> None:
    book = NameBook(names_max=256)
    for number in range(100):
        book.learn(SERVER, answer(f"s{number}.example", address(number)), number)
    for number in range(10_000):
        book.learn(LIAR, answer(f"l{number}.example", address(1000 + number)), number)
    assert len(book) == 256
    assert all(book.name(address(number)) for number in range(100)), "the server's names are all there"
    assert book.dropped == 10_000 - 156


def test_many_invented_cards_share_the_room_of_a_few() -> None:
    book = NameBook(names_max=256, sources_max=8)
    for number in range(100):
        book.learn(SERVER, answer(f"s{number}.example", address(number)), number)
    rng = random.Random(4)
    for number in range(20_000):
        book.learn(LIAR + rng.randrange(2000), answer(f"l{number}.example", address(1000 + number)), number)
    assert len(book) <= 256
    assert len(book._of) <= 8
    assert sum(1 for number in range(100) if book.name(address(number))) >= 256 // 8
    assert {source for source, held in book._of.items() if not held} == set()


def test_the_book_and_its_index_stay_one() -> None:
    book, rng = NameBook(names_max=32, sources_max=4), random.Random(7)
    for time in range(5000):
        kind = rng.choice(("dns.answer", "mdns.host"))
        signal = Signal(kind, f"n{rng.randrange(9)}", None, address(rng.randrange(60)))
        book.learn(rng.randrange(1, 9), signal, time * HELD_NS // rng.choice((1, 100)))
        book.name(address(rng.randrange(60)))
        indexed = {host: source for source, held in book._of.items() for host in held}
        assert indexed == {host: named.source for host, named in book._named.items()}
        assert len(book) <= 32
        assert len(book._of) <= 4


def test_the_registered_end_of_a_name() -> None:
    assert registered("a.b.facebook.com") == "facebook.com"
    assert registered("pacs.trust.nhs.uk") == "trust.nhs.uk"
    assert registered("x.example.co.uk.") == "example.co.uk"
    assert registered("localhost") == "localhost"
    assert registered("") == ""
