"""Who deals with whom, over a restart: no stranger is made of a device of old, and never half a memory."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.devices.baseline import Order
from agent.devices.checked_file import seal
from agent.errors import StateError
from agent.findings import peers as bounds
from agent.findings.engine import Engine
from agent.findings.peers import Peers
from agent.findings.records import Finding, Severity
from agent.service.peers import FILE_BYTES_MAX, FORM, SAVE_EVERY_S, PeersKeeper, decode, encode, peers_path, read
from agent.service.saver import SaveThread
from tests.faults.conftest import eventually
from tests.findings.bench import CONTRACTS, HOUR, LISTS, START_NS, Bench, S
from tests.findings.detectors.test_dicom_peers import call
from tests.findings.detectors.test_hl7_peers import sends

MAC, A = 0x00D07518_0001, (0, 0xFFFF_0A14_0101)
DAY, NOW_S = 24 * HOUR, START_NS // S
PLAIN = {
    "salt": "00" * 16, "settled": True, "servers": [], "titles": [], "receivers": [], "senders": [], "cards": [],
    "visitors": [0, 0, 0],
}  # fmt: skip


@pytest.fixture
def bench() -> Bench:
    return Bench()


def met() -> Peers:
    """Somebody of each kind."""
    peers = Peers()
    peers.reports_to(MAC, 2575, A, 10)
    peers.know_title(MAC, peers.digest("QUILLFEATHER"))
    peers.know_receiver(MAC, A)
    peers.know_host(peers.digest("QUILLFEATHER"), MAC)
    peers.meet([MAC], NOW_S)
    peers.visitors.come(3, 20_000)
    peers.settle()
    return peers


def kept(path: Path, peers: Peers) -> None:
    """A sensor that ends."""
    keeper = PeersKeeper(path, print)
    keeper.close(peers)
    assert not keeper.health()["peers_save_errors"]


def resumed(path: Path, peers: Peers) -> Peers:
    """And the next one."""
    said, thread = list[str](), SaveThread()
    PeersKeeper(path, said.append, thread).begin(peers, NOW_S)
    thread.close()
    assert not said
    return peers


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    path, peers = peers_path(tmp_path), met()
    kept(path, peers)
    again = resumed(path, Peers())
    assert encode(again) == encode(peers) == path.read_bytes()
    assert b"QUILLFEATHER" not in path.read_bytes()


def restarted(bench: Bench, path: Path, *, keeps: bool) -> None:
    """The sensor ends and starts: who the devices are is known, and who deals with whom when that is kept."""
    bench.judge(new_devices=np.arange(len(bench.devices), dtype=np.uint32), settled=bench.engine.peers.settled)
    kept(path, bench.engine.peers)
    bench.engine = Engine(CONTRACTS, bench.settings, bench.baseline, LISTS)
    if keeps:
        resumed(path, bench.engine.peers)
    bench.interval(settled=False)


def images(bench: Bench) -> Callable[[], list[Finding]]:
    """A workstation that asks the archive now and then."""
    workstation, archive = bench.add("clinical-workstation"), bench.add("pacs")
    bench.baseline.order_role(Order.FREEZE, "pacs")
    return lambda: bench.judge(remarks=[call(bench, workstation, archive, "WS_7", "PACS_MAIN")])


def results(bench: Bench) -> Callable[[], list[Finding]]:
    """A monitor that sends to one engine always, and to another one each night."""
    monitor, engine, archive = (bench.add(role) for role in ("patient-monitor", "hospital-server", "hospital-server"))
    bench.baseline.order_role(Order.FREEZE, "patient-monitor")

    def both() -> list[Finding]:
        first = bench.judge([sends(bench, monitor, engine)], settled=False)
        return first + bench.judge([sends(bench, monitor, archive)])

    return both


@pytest.mark.parametrize("habit", [images, results])
def test_what_devices_always_did_is_no_news_after_a_restart(
    bench: Bench, tmp_path: Path, habit: Callable[[Bench], Callable[[], list[Finding]]]
) -> None:
    does = habit(bench)
    does()  # however it was taken: it is known from here on
    assert not does()
    restarted(bench, peers_path(tmp_path), keeps=True)
    assert not does()
    restarted(bench, peers_path(tmp_path), keeps=False)
    assert does(), "without the file it would be news again"


def test_another_server_is_told_though_the_tap_was_restarted_in_between(bench: Bench, tmp_path: Path) -> None:
    monitor, old, new = (bench.add(role) for role in ("patient-monitor", "hospital-server", "hospital-server"))

    def said(server: int) -> list[str]:
        return [found.id for found in bench.interval([sends(bench, monitor, server)])]

    assert "change-event" not in said(old)
    bench.now_ns += DAY
    restarted(bench, peers_path(tmp_path), keeps=True)
    assert "change-event" in said(new)


def test_a_stranger_who_calls_while_a_restarted_tap_settles_is_told_at_once(bench: Bench, tmp_path: Path) -> None:
    """Its first words are its only ones: what is said again is no news, so nobody may be learned in silence."""
    does = images(bench)
    does()
    restarted(bench, peers_path(tmp_path), keeps=True)
    stranger, archive = bench.add("unknown"), 1
    bench.judge(new_devices=np.array([stranger], np.uint32), settled=False)
    (found,) = bench.judge(remarks=[call(bench, stranger, archive, "PROBE", "PACS_MAIN")], settled=False)
    assert (found.id, found.severity) == ("dicom-unknown-peer", Severity.PAGE)


def test_a_second_receiver_while_a_restarted_tap_settles_too(bench: Bench, tmp_path: Path) -> None:
    does = results(bench)
    does()
    restarted(bench, peers_path(tmp_path), keeps=True)
    stranger = bench.add("unknown")
    bench.judge(new_devices=np.array([stranger], np.uint32), settled=False)
    found = bench.judge([sends(bench, 0, stranger)], settled=False)
    assert [(one.id, one.severity) for one in found] == [("hl7-second-receiver", Severity.PAGE)]


def test_a_tap_that_never_settled_goes_on_learning(bench: Bench, tmp_path: Path) -> None:
    does = images(bench)
    bench.engine.judge(bench.turn(bench.edge(0, "10.1.1.1", 443))._replace(settled=False))
    restarted(bench, peers_path(tmp_path), keeps=True)
    assert not bench.engine.peers.resumed
    remarks = [call(bench, 0, 1, "WS_7", "PACS_MAIN")]
    assert not bench.judge(remarks=remarks, settled=False)
    assert not does(), "it called while the tap settled"


def test_how_many_visitors_are_usual_outlives_a_restart(bench: Bench, tmp_path: Path) -> None:
    """Ten phones a day are nothing, before and after."""
    phone = 0x02 << 40

    def come(day: int) -> list[str]:
        bench.now_ns += DAY
        phones = [bench.add("phone", phone | day << 8 | n) for n in range(10)]
        return [found.id for found in bench.judge(new_devices=np.array(phones, np.uint32), interval_closed=True)]

    assert come(1) == ["new-device"], "the first there ever were"
    assert come(2) == []
    restarted(bench, peers_path(tmp_path), keeps=True)
    assert come(3) == []
    restarted(bench, peers_path(tmp_path), keeps=False)
    assert come(4) == ["new-device"]


def test_a_file_cut_anywhere_is_a_fresh_start_that_is_told(tmp_path: Path) -> None:
    path, thread, whole = peers_path(tmp_path), SaveThread(), encode(met())
    path.parent.mkdir()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        said, peers = list[str](), Peers()
        keeper = PeersKeeper(path, said.append, thread)
        keeper.begin(peers, NOW_S)
        assert keeper.health()["peers_damaged"] == 1
        assert "learned anew" in said[0]
        assert not peers.resumed
        assert path.with_name("peers.damaged").read_bytes() == whole[:length]
    thread.close()


def test_any_flipped_bit_is_found() -> None:
    whole = encode(met())
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 1 << at % 8
        with pytest.raises(StateError):
            decode(bytes(broken))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("salt", "00"), ("salt", 5), ("salt", "zz" * 16),
        ("servers", None), ("servers", {}), ("servers", [[1, 2, 3, 4]]), ("servers", [[1, 65536, 0, 0, 0]]),
        ("servers", [[-1, 1, 0, 0, 0]]), ("servers", [[1, 1, 0, 0, 1 << 63]]), ("servers", [[True, 1, 0, 0, 0]]),
        ("servers", [[1, 1, 0, 0, 0]] * (bounds.SERVERS_MAX + 1)),
        ("titles", [[1, [1 << 64]]]), ("titles", [[1, [0.5]]]), ("titles", [[1, "ab"]]),
        ("titles", [[1, list(range(bounds.TITLES_OF_ONE_MAX + 1))]]),
        ("settled", 1), ("settled", None), ("cards", [[1, -1]]), ("cards", [[1]]), ("cards", 5),
        ("visitors", []), ("visitors", [1, 2]), ("visitors", [1, 2, 2]), ("visitors", [1, 2, 1, *range(8)]),
        ("visitors", [1 << 40, 0, 0]), ("visitors", [1, 2, -1]),
        ("receivers", [[1, [[1]]]]), ("receivers", [[1, [1]]]), ("senders", [5]), ("senders", [[1]]),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_whatever_its_checksum(name: str, value: object) -> None:
    assert not decode(seal(FORM, PLAIN)).servers
    with pytest.raises(StateError):
        decode(seal(FORM, PLAIN | {name: value}))
    with pytest.raises(StateError):
        decode(seal(FORM, {key: held for key, held in PLAIN.items() if key != name}))


def test_the_fullest_there_can_be_fits() -> None:
    peers, most = Peers(), (1 << 64) - 1
    for number in range(bounds.SENDERS_MAX):
        peers.meet(range(most - 4 * number - 3, most - 4 * number + 1), (1 << 63) - 1)
        peers.reports_to(most - number, 65535, (most, most), (1 << 63) - 1)
        for other in range(bounds.RECEIVERS_OF_ONE_MAX):
            peers.know_receiver(most - number, (most, most - other))
        for other in range(bounds.TITLES_OF_ONE_MAX):
            peers.know_title(most - number, most - other)
            peers.know_host(most - number, most - other)
    whole = encode(peers)
    assert len(whole) < FILE_BYTES_MAX
    assert len(decode(whole).receivers) == bounds.SENDERS_MAX


def test_it_is_saved_while_the_sensor_runs_when_somebody_was_met(tmp_path: Path) -> None:
    path, peers = peers_path(tmp_path), met()
    keeper = PeersKeeper(path, print)
    keeper.look(peers, 0)
    keeper.look(peers, SAVE_EVERY_S)
    eventually(path.is_file)
    assert read(path) == peers.kept()
    path.unlink()
    keeper.look(peers, 2 * SAVE_EVERY_S)
    keeper.close(peers)
    assert not peers.changed
    assert read(tmp_path / "nothing") is None
