"""What the uplink asks for and what it answers, over restarts, power cuts and updaters that never come."""

from pathlib import Path

import pytest

from agent.clock import CaptureClock
from agent.errors import Refused
from agent.service import update_order
from agent.service.update_order import ANSWER, ANSWER_WITHIN_NS, JOURNAL, REQUEST, UP, UpdateOrder
from agent.signing.trust import ROOT_NAME
from agent.wire.command import Command
from tests.service.test_release_check import NAME, ROOT_TEXT
from tests.signing.test_releases import sealed, tree

ID, BOOT = b"u" * 16, b"b" * 16


class Bench:
    """A state folder, releases, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.state, self.opt, self.clock = folder / "state", folder / "opt", CaptureClock(10**12)
        sealed(tree(self.opt / "releases" / NAME))
        (self.state / "uplink").mkdir(parents=True)
        (self.state / "uplink" / ROOT_NAME).write_text(ROOT_TEXT)

    def open(self, boot: bytes = BOOT) -> UpdateOrder:
        """As after a start of the program."""
        return UpdateOrder(self.state, boot, self.clock, self.opt)

    def answer(self, text: str) -> None:
        (self.opt / ANSWER).write_text(text)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def command(name: str = NAME) -> Command:
    return Command("tap-1", "ward", "update-to", {"release": name}, BOOT, ID, 99, "custodian", ("cora",))


def test_asked_and_answered_by_whoever_runs_then(bench: Bench) -> None:
    assert bench.open().ask(command(), 0) == {"release": NAME, "version": "0.2.0", "serial": 7, "running": ""}
    assert (bench.state / REQUEST).read_text() == f"{NAME}\n{ID.hex()}\n"
    assert bench.open().answer() is None
    for boot in (BOOT, bytes(16)):
        again = bench.open(boot)
        bench.answer(f"{(b'x' * 16).hex()} done \n")
        assert again.answer() is None, "an older update's"
        bench.answer(f"{ID.hex()} failed it did not come up\x1b\n")
        receipt = again.answer()
        assert receipt is not None
        assert (receipt.id, receipt.state, receipt.reason) == (ID, "failed", "it did not come up")
    bench.answer(f"{ID.hex()} done \n")
    receipt = again.answer()
    assert receipt is not None
    assert (receipt.state, receipt.reason, receipt.result["release"]) == ("done", "", NAME)
    again.told()
    assert bench.open().answer() is None


@pytest.mark.parametrize("boot", [BOOT, bytes(16)])
def test_an_updater_that_never_comes(bench: Bench, boot: bytes) -> None:
    bench.open().ask(command(), 0)
    again = bench.open(boot)
    bench.clock.sleep(ANSWER_WITHIN_NS / 10**9)
    receipt = again.answer()
    assert receipt is not None
    assert receipt.reason.startswith("no-answer")
    assert not (bench.state / REQUEST).exists(), "nor shall it come later"


def test_one_at_a_time_and_only_what_may_run(bench: Bench) -> None:
    orders = bench.open()
    with pytest.raises(Refused) as caught:
        orders.ask(command("0.1.0-ffffffff"), 0)
    assert caught.value.reason == "not-laid"
    sealed(bench.opt / "releases" / NAME, signers=1)
    with pytest.raises(Refused) as caught:
        orders.ask(command(), 0)
    assert caught.value.reason == "not-allowed"
    assert not (bench.state / JOURNAL).exists()
    sealed(bench.opt / "releases" / NAME)
    orders.ask(command(), 0)
    with pytest.raises(Refused) as caught:
        orders.ask(command(), 0)
    assert caught.value.reason == "busy"


def test_a_checkout_is_no_appliance(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        UpdateOrder(tmp_path, BOOT, CaptureClock()).ask(command(), 0)
    assert caught.value.reason == "not-supported"


def test_a_request_that_cannot_be_written_is_not_under_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = update_order.write_atomically

    def full(path: Path, content: bytes) -> None:
        if path.name == "request":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(update_order, "write_atomically", full)
    orders = bench.open()
    with pytest.raises(OSError, match="No space"):
        orders.ask(command(), 0)
    assert orders.answer() is None
    assert not (bench.state / JOURNAL).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 999, b'{"id": "00"}', b"\xff" * 999, b'{"id": 7, "release": 1}'])
def test_a_damaged_journal_is_as_none(bench: Bench, content: bytes) -> None:
    (bench.state / JOURNAL).write_bytes(content)
    assert bench.open().answer() is None


def test_it_says_that_it_has_come_up(bench: Bench) -> None:
    bench.open().came_up()
    assert (bench.state / UP).read_text() == '{"release": ""}'
