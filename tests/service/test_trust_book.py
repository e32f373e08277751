"""A table from the broker: verified before it is read, newer ones only, whole or not at all; and keys as of now."""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.clock import CaptureClock, ClockState, SystemClock
from agent.collector import ingest
from agent.collector.config import CollectorConfig
from agent.collector.service import serve
from agent.collector.subscriber import BrokerSettings
from agent.durable import write_atomically
from agent.errors import Refused, StateError
from agent.service import trust_book
from agent.service.trust_book import FILE_NAME, FLOOR_NAME, TrustBook
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.signing.trust import BROKER_OCTETS_MAX, ROOT_NAME, TrustEntry, build_trust
from agent.wire import body
from agent.wire.types import MessageType, Role
from tests.faults.conftest import eventually
from tests.service.test_uplink import Program
from tests.simulators.broker import Mosquitto
from tests.simulators.kit import SITE, Kit, key_of

NOW_NS = 1_790_000_000 * 10**9
DAY_NS = 86_400 * 10**9


class Told(CaptureClock):
    """A clock of which a test says how sure it is, and what somebody signed."""

    def __init__(self) -> None:
        super().__init__(NOW_NS)
        self.told_ns, self.sure = 0, ("none", -1)

    def state(self) -> tuple[ClockState, int]:
        return self.sure  # type: ignore[return-value]


class Bench:
    """A laid state folder and its book."""

    def __init__(self, folder: Path) -> None:
        self.kit, self.clock = Kit(folder).lay(), Told()
        self.own = folder / "uplink"
        self.open()

    def open(self) -> None:
        """As after a start of the program."""
        self.book = TrustBook(self.own, SITE, self.clock)

    def table(self, version: int, entries: Sequence[TrustEntry] | None = None, **said: object) -> bytes:
        given: dict[str, object] = {"keys": self.kit.releases[1:], "version": version, "site": SITE}
        return build_trust(self.kit.entries if entries is None else entries, **(given | said))  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_newer_table_is_in_use_at_once_and_after_a_start(bench: Bench) -> None:
    fresh = bench.table(7, bench.kit.entries[1:])
    assert bench.book.receive(fresh)
    assert not bench.book.receive(fresh), "the broker gives it again at every link"
    assert not bench.book.receive(bench.table(7, bench.kit.entries[1:], keys=bench.kit.releases[:2])), "other signers"
    for _ in range(2):
        assert bench.book.now.version == 7
        assert bench.book.now.find(bench.kit.agent.key_id) is None, "also one that revokes this tap"
        bench.open()
    assert (bench.own / FILE_NAME).read_bytes() == fresh


Forge = Callable[[Bench], bytes]


def two_kinds(bench: Bench) -> bytes:
    """Signed by one release key and a custodian."""
    content = body.decode(MessageType.TRUST, _body(bench.table(7)))[1]
    keys = [bench.kit.releases[0], bench.kit.people[Role.CUSTODIAN]]
    return seal(MessageType.TRUST, body.encode(MessageType.TRUST, None, content), keys)


def _body(sealed: bytes) -> bytes:
    from agent.wire.codec import unpack  # noqa: PLC0415 - only this forger takes an envelope apart

    octets: bytes = unpack(sealed)[2]
    return octets


REFUSED: dict[str, tuple[str, Forge]] = {
    "older": ("rollback", lambda b: b.table(4)),
    "same version, other text": ("equivocation", lambda b: b.table(5, b.kit.entries[1:])),
    "one signer": ("not-allowed", lambda b: b.table(7, keys=b.kit.releases[:1])),
    "a custodian among them": ("unknown-key", two_kinds),
    "strangers": ("unknown-key", lambda b: b.table(7, keys=[key_of("x"), key_of("y")])),
    "one twice": ("not-allowed", lambda b: b.table(7, keys=[b.kit.releases[0]] * 2)),
    "flipped": ("bad-signature", lambda b: b.table(7)[:-1] + bytes([b.table(7)[-1] ^ 1])),
    "noise": ("bad-envelope", lambda _: b"\x94noise"),
    "nothing": ("bad-envelope", lambda _: b""),
    "huge": ("too-large", lambda _: bytes(BROKER_OCTETS_MAX + 1)),
    "another type": ("wrong-type", lambda b: b.kit.command()),
    "another site": ("wrong-site", lambda b: b.table(7, site="elsewhere")),
    "over": ("expired-trust", lambda b: b.table(7, not_after_ns=NOW_NS - DAY_NS)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(bench: Bench, name: str) -> None:
    reason, forge = REFUSED[name]
    bench.clock.told_ns = NOW_NS
    assert bench.book.receive(bench.table(5))
    before = (bench.own / FILE_NAME).read_bytes()
    with pytest.raises(Refused) as caught:
        bench.book.receive(forge(bench))
    assert caught.value.reason == reason
    assert bench.book.now.version == 5
    assert (bench.own / FILE_NAME).read_bytes() == before


def test_nothing_is_unpacked_before_its_signatures_are_good(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    real = body.decode
    monkeypatch.setattr(body, "decode", lambda *given: looked.append(given) or real(*given))
    for forge in ("flipped", "strangers", "one signer", "huge"):
        with pytest.raises(Refused):
            bench.book.receive(REFUSED[forge][1](bench))
    assert looked == []


def test_a_file_that_was_put_back_is_below_the_floor(bench: Bench) -> None:
    before = (bench.own / FILE_NAME).read_bytes()
    bench.book.receive(bench.table(7))
    (bench.own / FILE_NAME).write_bytes(before)
    with pytest.raises(Refused) as caught:
        bench.open()
    assert caught.value.reason == "rollback"
    for damage in ("", "{", '{"version": "9"}', "x" * 999):
        (bench.own / FLOOR_NAME).write_text(damage)
        bench.open()
        assert bench.book.now.version == 1, "a damaged hint keeps nobody from reporting"


def test_a_carried_file_raises_the_floor_too(bench: Bench) -> None:
    (bench.own / FILE_NAME).write_bytes(bench.table(9))
    bench.book.reload()
    with pytest.raises(Refused) as caught:
        bench.book.receive(bench.table(8))
    assert caught.value.reason == "rollback"
    (bench.own / FILE_NAME).write_bytes(bench.table(8))
    with pytest.raises(Refused):
        bench.open()
    (bench.own / FILE_NAME).unlink()
    with pytest.raises(StateError):
        bench.book.reload()
    assert bench.book.now.version == 9


def test_a_disk_that_refuses_leaves_the_old_table(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trust_book, "write_atomically", full)
    with pytest.raises(Refused) as caught:
        bench.book.receive(bench.table(7))
    assert caught.value.reason == "state"
    assert bench.book.now.version == 1


def key_from(bench: Bench, not_before_ns: int, not_after_ns: int = NOW_NS * 2) -> PrivateKey:
    """A table with one more operator of this validity."""
    key = key_of("new-operator")
    entry = TrustEntry.for_key(key.public, Role.OPERATOR, "nora", SITE)
    entry = replace(entry, not_before_ns=not_before_ns, not_after_ns=not_after_ns)
    assert bench.book.receive(bench.table(bench.book.now.version + 1, [*bench.kit.entries, entry]))
    return key


@pytest.mark.parametrize(
    ("sure", "ahead_ns", "counts"),
    [
        (("synced", 10**9), 0, True),
        (("synced", 10**9), 10**9, True),
        (("synced", 10**9), 2 * 10**9, False),
        (("holdover", DAY_NS), DAY_NS, True),
        (("holdover", DAY_NS), 2 * DAY_NS, False),
        (("holdover", -1), 2 * DAY_NS, True),
        (("floor", -1), 900 * DAY_NS, True),
        (("none", -1), 900 * DAY_NS, True),
    ],
)
def test_a_key_counts_from_when_it_may_have_begun(
    bench: Bench, sure: tuple[str, int], ahead_ns: int, counts: bool
) -> None:
    """A clock that nobody keeps right locks nobody out; one that is kept right lets nobody in early."""
    bench.clock.sure = sure
    key = key_from(bench, NOW_NS + ahead_ns)
    assert (bench.book.now.find(key.key_id) is not None) is counts


def test_it_begins_and_ends_with_the_time(bench: Bench) -> None:
    bench.clock.sure = ("synced", 0)
    key = key_from(bench, NOW_NS + 60 * 10**9, NOW_NS + 120 * 10**9)
    seen = []
    for _ in range(4):
        bench.book.look()
        seen.append(bench.book.now.find(key.key_id) is not None)
        bench.clock.sleep(50)
        bench.clock.told_ns = bench.clock.now_ns
    assert seen == [False, False, True, False]
    bench.open()
    assert bench.book.now.find(key.key_id) is None, "from the first moment of a start on"


@pytest.mark.broker
def test_a_real_collector_hands_a_revocation_to_a_real_tap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "TRUST_LOOK_S", 0.1)
    broker = Mosquitto(tmp_path / "broker").start()
    uplink, state, stop = Program(tmp_path, broker.url), tmp_path / "collector", threading.Event()
    state.mkdir()
    uplink.kit.collector.save(state / "collector.key")
    for name in (FILE_NAME, ROOT_NAME):
        shutil.copy(uplink.state / "uplink" / name, state / name)
    config = CollectorConfig(
        state, BrokerSettings(broker.url, ("wardtap/1/+/+/up/#",)), state / FILE_NAME, state / ROOT_NAME,
        state / "collector.key", listen="",
    )  # fmt: skip
    thread = threading.Thread(target=serve, args=(config, SystemClock(), stop, lambda _: None))
    thread.start()
    try:
        assert eventually(uplink.connected)
        left = [entry for entry in uplink.kit.entries if entry.role != Role.OPERATOR]
        fresh = build_trust(left, uplink.kit.releases[1:], version=2, site=SITE)
        write_atomically(state / FILE_NAME, fresh)
        assert eventually(lambda: (uplink.state / "uplink" / FILE_NAME).read_bytes() == fresh)
    finally:
        stop.set()
        thread.join()
        uplink.stop()
        uplink.collector.stop()
        broker.kill()
