"""What is known of the way to an address, and how a second card differs."""

import pytest

from agent.findings.paths import CARDS_MAX, STALE_NS, TRAITS_MAX, Mark, Move, Paths
from agent.findings.records import Rows
from tests.findings.bench import IN, Bench, S, number

PACS, ADDRESS = "10.20.30.10", number("10.20.30.10")
LINUX = "m44:1460:7:MSTNW"


class Way:
    """Paths, and two cards that speak for one address."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.paths = bench, Paths()
        self.owner, self.other = bench.add("pacs"), bench.add("iot-other")
        self.move = Move(ADDRESS, bench.mac(self.other), bench.mac(self.owner), bench.now_ns)

    def hear(self, slot: int, kind: str, word: str, sender: str = PACS) -> None:
        """A turn with one sighting."""
        self._observe(sightings=[self.bench.sighting(kind, word, slot, sender=sender)])

    def close(self, *rows: Rows) -> None:
        """An interval with these edges."""
        bare = self.bench.turn(self.bench.edge(0, "10.1.1.1", 80)[:0])
        counted = rows[0] if rows else bare.edges
        self._observe(counted=counted, interval_closed=True)

    def _observe(self, **fields: object) -> None:
        self.paths.observe(self.bench.case(**fields))

    @property
    def kinds(self) -> list[str]:
        """Kinds of marks of the move."""
        return [mark.kind for mark in self.paths.marks(self.move)]


@pytest.fixture
def way(bench: Bench) -> Way:
    """The owner was heard."""
    way = Way(bench)
    way.hear(way.owner, "tcp.syn-ack", f"64:{LINUX}")
    way.hear(way.owner, "dicom.implementation", "1.2.276.0.7230010.3.0.3.6.7")
    return way


def test_one_hop_more(way: Way) -> None:
    way.hear(way.other, "tcp.passed-syn-ack", f"63:{LINUX}")
    assert way.paths.marks(way.move) == [
        Mark("hop", way.move.was, "its packets have come 1 hop more (time to live 63)")
    ]


def test_the_same_stack_at_the_same_distance_is_no_sign(way: Way) -> None:
    way.hear(way.other, "tcp.syn-ack", f"64:{LINUX}")
    way.hear(way.other, "dicom.implementation", "1.2.276.0.7230010.3.0.3.6.7")
    assert way.kinds == []


def test_another_stack_is_no_hop(way: Way) -> None:
    way.hear(way.other, "tcp.syn-ack", "32:8192:1460:8:MNWNNS")
    assert way.kinds == ["stack"]


def test_another_program(way: Way) -> None:
    way.hear(way.owner, "dicom.implementation", "1.2.3.4")
    way.hear(way.other, "dicom.implementation", "1.2.3.4")
    assert way.kinds == [], "the owner has two"
    way.hear(way.other, "dicom.implementation", "1.3.6.1.4.1.9590.100")
    assert way.kinds == ["implementation"]


def test_another_address_says_nothing(way: Way) -> None:
    way.hear(way.other, "tcp.passed-syn-ack", f"63:{LINUX}", sender="10.20.30.11")
    assert way.kinds == []


def test_a_card_that_is_gone_is_no_measure(way: Way) -> None:
    way.bench.devices[way.owner].last_ns = way.bench.now_ns
    way.bench.now_ns += STALE_NS + S
    way.hear(way.other, "tcp.passed-syn-ack", f"63:{LINUX}")
    assert way.kinds == []


def test_what_a_card_said_once_counts_for_as_long_as_it_is_heard(way: Way) -> None:
    """A tap hears what is new: a server that goes on as before shows its stack once in days."""
    way.bench.now_ns += 72 * STALE_NS
    way.hear(way.other, "tcp.passed-syn-ack", f"63:{LINUX}")
    assert way.kinds == ["hop"]


def test_who_comes_back_to_its_address_is_no_stranger(way: Way) -> None:
    """A stand-in of another make had it meanwhile; to a third card both are owners."""
    way.bench.now_ns += S
    way.hear(way.other, "tcp.syn-ack", "128:8192:1460:8:MNWNNS")
    assert way.kinds == ["stack"]
    way.bench.now_ns += S
    way.hear(way.owner, "tcp.syn-ack", "64:other:stack")
    back = way.move._replace(mac=way.move.was, was=way.move.mac)
    assert way.paths.marks(back) == []
    third = way.bench.add("iot-other")
    way.bench.now_ns += S
    way.hear(third, "tcp.passed-syn-ack", f"63:{LINUX}")
    move = way.move._replace(mac=way.bench.mac(third))
    assert [mark.kind for mark in way.paths.marks(move)] == ["hop"]
    assert [mark.kind for mark in way.paths.marks(move._replace(was=way.move.mac))] == ["stack"]


def test_a_handshake_that_takes_longer(way: Way) -> None:
    def handshake(rtt_us: int) -> Rows:
        return way.bench.edge(way.other, way.owner, 104, rtt_us=rtt_us, peer_hi=0, peer_lo=ADDRESS)

    way.close(handshake(300))
    way.close(handshake(1900))
    assert way.kinds == [], "a busy server"
    way.close(handshake(6300))
    (mark,) = way.paths.marks(way.move)
    assert (mark.kind, mark.text) == ("delay", "it answers 6.0 ms later (6.3 ms)")
    way.close(handshake(310))
    assert way.kinds == [], "over"
    way.close(way.bench.edge(way.owner, way.other, 104, rtt_us=9000, direction=IN, peer_hi=0, peer_lo=ADDRESS))
    assert way.kinds == [], "that is the way to its own peer"
    way.close()


@pytest.mark.parametrize("word", ["", ":", "x:y", "64", "-1:", "99999999999999999999:m", "\x1b[2J", "²:m"])
def test_hostile_words_are_only_compared(way: Way, word: str) -> None:
    for kind in ("tcp.syn-ack", "tcp.syn", "dicom.implementation"):
        way.hear(way.owner, kind, word)
        way.hear(way.other, kind, word + "2")
    for mark in way.paths.marks(way.move):
        assert mark.text.isascii()
        assert mark.text.isprintable()


def test_it_is_bounded(way: Way) -> None:
    sightings = [
        way.bench.sighting("tcp.syn", f"64:{LINUX}", way.other, sender=f"10.{n >> 8 & 255}.{n & 255}.1")
        for n in range(1024)
    ]
    for turn in range(TRAITS_MAX // 1024 + 2):
        way._observe(sightings=[s._replace(sender=s.sender + turn) for s in sightings])
    assert len(way.paths._traits) <= TRAITS_MAX
    for _ in range(9):
        way.hear(way.bench.add("unknown"), "tcp.syn", f"64:{LINUX}")
    assert max(map(len, way.paths._traits.values())) <= CARDS_MAX
