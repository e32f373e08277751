"""Suppressions ordered by command: as narrow as a pack's, owned, over by themselves, durable, and never in the way."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.commands.requests import Request
from agent.errors import Refused
from agent.findings.suppressions import CONTROLS
from agent.service import suppression_orders
from agent.service.suppression_orders import AHEAD_NS, HOUR_NS, NAME, ORDERED_MAX, SuppressionOrders, read_ordered
from agent.service.suppression_store import LOOK_EVERY_S, SuppressionKeeper
from tests.findings.bench import START_NS, Bench, S

MAC = "00:d0:75:18:00:00"
ARGS: dict[str, Any] = {
    "finding": "contract-breach",
    "device": MAC,
    "severity": "page",
    "hours": 8,
    "why": "ticket",
}


def asked(number: int = 1, **changes: Any) -> Request:
    """A request as the uplink hands it over; what is None is left out."""
    args = {key: value for key, value in (ARGS | changes).items() if value is not None}
    return Request(number.to_bytes(16, "big"), "suppress", args, b"b" * 16, 9, ("olga",))


def ended(number: int = 1) -> Request:
    return Request(bytes(16), "unsuppress", {"suppression": number.to_bytes(16, "big").hex()}, b"b" * 16, 9, ("omar",))


def give(orders: SuppressionOrders, request: Request, now_ns: int = START_NS) -> None:
    orders.put(orders.made_from(request, now_ns), now_ns)


def test_it_outlives_the_process_and_is_over_by_itself(tmp_path: Path) -> None:
    give(SuppressionOrders(tmp_path), asked())
    again = SuppressionOrders(tmp_path)
    (rule,) = again.rules
    assert (rule.id, rule.device, rule.owner, rule.why) == ("contract-breach", 0xD07518_0000, "olga", "ticket")
    assert (rule.start_ns, rule.end_ns) == (START_NS, START_NS + 8 * HOUR_NS)
    assert not again.forget_over(START_NS + 8 * HOUR_NS - 1)
    assert again.forget_over(START_NS + 8 * HOUR_NS)
    assert SuppressionOrders(tmp_path).held == ()


def test_one_made_under_a_clock_that_was_ahead_does_not_come_back_later(tmp_path: Path) -> None:
    orders = SuppressionOrders(tmp_path)
    give(orders, asked(), START_NS + 2 * AHEAD_NS)
    assert orders.forget_over(START_NS)
    assert read_ordered(tmp_path) == ()


@pytest.mark.parametrize(
    "changes",
    [
        *({"finding": control} for control in sorted(CONTROLS)),
        {"finding": "nonsense"},
        {"device": None, "role": "infusion-pump"},
        {"device": None, "role": "no-such-role", "peer": "10.0.0.1"},
        {"severity": "grave"},
        {"port": 22},
        {"protocol": "quic", "port": 22},
        {"peer": "10.0.0.1/8"},
    ],
)
def test_what_a_pack_could_not_say_no_command_can(tmp_path: Path, changes: dict[str, Any]) -> None:
    orders = SuppressionOrders(tmp_path)
    with pytest.raises(Refused) as caught:
        orders.made_from(asked(**changes), START_NS)
    assert caught.value.reason == "bad-arguments"


def test_a_role_needs_a_peer_or_a_port_beside_it(tmp_path: Path) -> None:
    orders = SuppressionOrders(tmp_path)
    give(orders, asked(device=None, role="infusion-pump", protocol="tcp", port=22))
    assert orders.rules[0].port == 22


def test_there_is_room_for_so_many_and_the_same_command_counts_once(tmp_path: Path) -> None:
    orders = SuppressionOrders(tmp_path)
    for number in range(1, ORDERED_MAX):
        give(orders, asked(number))
        give(orders, asked(number))
    give(orders, asked(ORDERED_MAX))
    with pytest.raises(Refused) as caught:
        give(orders, asked(999))
    assert caught.value.reason == "busy"
    give(orders, asked(999), START_NS + 9 * HOUR_NS)
    assert len(SuppressionOrders(tmp_path).held) == 1, "what is over makes room"


def test_a_disk_that_refuses_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = SuppressionOrders(tmp_path)
    give(orders, asked())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(suppression_orders, "write_atomically", full)
    for change in (lambda: give(orders, asked(2)), lambda: orders.take_away(asked().id.hex())):
        with pytest.raises(OSError, match="No space"):
            change()
        assert len(orders.held) == 1


HELD = {"id": "new-edge", "device": MAC, "severity": "review", "owner": "olga", "why": "x",
        "start": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"", b"nonsense", b"[]", b"[" * 9999, b'{"version": 2, "suppressions": {}}', b'{"version": 1}', b"\xff" * 9,
        b'{"version": 1, "suppressions": [1]}',
        *(json.dumps({"version": 1, "suppressions": {"ab" * 16: HELD | odd}}).encode() for odd in
          ({"id": "tap-blind"}, {"until": "2099-01-01T00:00:00Z"}, {"device": ""}, {"more": 1}, {"severity": []})),
        json.dumps({"version": 1, "suppressions": {"zz": HELD, "ab" * 16: 7}}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_file_holds_nothing_back(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sensor").mkdir()
    (tmp_path / "sensor" / NAME).write_bytes(content)
    orders = SuppressionOrders(tmp_path)
    assert orders.held == ()
    give(orders, asked())
    assert len(read_ordered(tmp_path)) == 1


def test_in_force_at_once_counted_and_said_again_when_it_is_taken_away(tmp_path: Path) -> None:
    bench, said = Bench(), list[str]()
    keeper = SuppressionKeeper(tmp_path, said.append)
    pacs = bench.add("pacs")
    keeper.order(asked(), bench.engine, START_NS)
    assert not bench.judge([bench.edge(pacs, "10.1.1.1", 6667)])
    assert keeper.health() == {"suppressions": 1, "findings_suppressed": 1}
    told = keeper.order(ended(), bench.engine, START_NS)
    assert told == {"suppression": f"{1:032x}", "finding": "contract-breach"}
    (finding,) = bench.judge([])
    assert ("held-back", 1) in finding.evidence
    assert said[0].startswith("suppress: finding contract-breach, owner olga")


def test_a_restart_brings_it_back_beside_the_packs(tmp_path: Path) -> None:
    first, bench = Bench(), Bench()
    SuppressionKeeper(tmp_path, list[str]().append).order(asked(), first.engine, START_NS)
    keeper = SuppressionKeeper(tmp_path, list[str]().append)
    keeper.look(bench.engine, START_NS // S)
    assert len(bench.engine.silence.rules) == 1
    folder = tmp_path / "packs" / "ward-explained" / "1"
    folder.mkdir(parents=True)
    span = 'start = "2026-01-01T00:00:00Z"\nuntil = "2026-12-30T00:00:00Z"\nowner = "R. Okafor"\nwhy = "a test"\n'
    (folder / "suppressions.toml").write_text(
        f'version = "1"\n[[suppression]]\nid = "new-device"\ndevice = "{MAC}"\nseverity = "review"\n{span}'
    )
    keeper.look(bench.engine, START_NS // S + LOOK_EVERY_S)
    assert [rule.id for rule in bench.engine.silence.rules] == ["new-device", "contract-breach"]
    keeper.look(bench.engine, (START_NS + 9 * HOUR_NS) // S)
    assert [rule.id for rule in bench.engine.silence.rules] == ["new-device"]


def test_no_more_than_are_compared_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    keeper = SuppressionKeeper(tmp_path, list[str]().append)
    monkeypatch.setattr("agent.service.suppression_store.RULES_MAX", 1)
    keeper.order(asked(1), bench.engine, START_NS)
    with pytest.raises(Refused) as caught:
        keeper.order(asked(2), bench.engine, START_NS)
    assert caught.value.reason == "busy"
