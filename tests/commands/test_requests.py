"""The sensor believes nothing in the folder but what the table allows."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent.commands.requests import REQUESTS, WAITING_MAX, Request, RequestBox, submit, withdraw
from agent.errors import Refused

ID = bytes(range(16))


def test_a_request_is_taken_once(tmp_path: Path) -> None:
    submit(tmp_path, Request(ID, "cards"))
    box = RequestBox(tmp_path)
    assert box.take() == [Request(ID, "cards", {})]
    assert box.take() == []
    submit(tmp_path, Request(ID, "cards"))
    assert box.take() == []


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert RequestBox(tmp_path / "none").take() == []


@pytest.mark.parametrize(
    "request_", [Request(ID, "shell"), Request(b"", "cards"), Request(ID, "cards", {"path": "/etc"})]
)
def test_other_requests_are_not_written(tmp_path: Path, request_: Request) -> None:
    with pytest.raises(Refused):
        submit(tmp_path, request_)
    assert not list(tmp_path.iterdir())


def test_a_sensor_that_does_not_run_does_not_fill_the_disk(tmp_path: Path) -> None:
    for number in range(WAITING_MAX):
        submit(tmp_path, Request(number.to_bytes(16, "big"), "cards"))
    with pytest.raises(Refused) as caught:
        submit(tmp_path, Request(ID, "cards"))
    assert caught.value.reason == "busy"


GOOD = {"version": 1, "name": "cards", "args": {}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[" * 3000,
        json.dumps(GOOD | {"version": 2}).encode(),
        json.dumps(GOOD | {"name": "exec"}).encode(),
        json.dumps(GOOD | {"name": ["cards"]}).encode(),
        json.dumps(GOOD | {"args": {"x": 1}}).encode(),
        json.dumps(GOOD | {"args": []}).encode(),
        json.dumps(GOOD).encode() + b" " * 5000,
        b'"cards"',
    ],
)
def test_whatever_lies_there_is_refused_and_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{ID.hex()}.req").write_bytes(content)
    box = RequestBox(tmp_path)
    assert box.take() == []
    assert box.refused == 1
    assert not list(tmp_path.iterdir())


def test_links_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(GOOD))
    folder = tmp_path / "requests"
    folder.mkdir()
    (folder / f"{1:032x}.req").symlink_to(secret)
    os.mkfifo(folder / f"{2:032x}.req")
    (folder / f"{3:032x}.req").mkdir()
    (folder / "short.req").write_text(json.dumps(GOOD))
    box = RequestBox(folder)
    assert box.take() == []
    assert box.refused == 4
    assert secret.exists()


def test_every_request_of_the_table_can_be_made(tmp_path: Path) -> None:
    device = "00:d0:75:18:42:9b"
    args: dict[str, dict[str, Any]] = {
        "set-learning": LEARNING[0],
        "change-window": WINDOWS[0],
        "label-device": {"device": device, "label": ""},
        "record-headers": {"device": device, "seconds": 60},
        "quiesce": {"seconds": 60},
        "restart": {"what": "sensor"},
        "suppress": SUPPRESSIONS[0],
        "unsuppress": {"suppression": "0f" * 16},
    }
    for number, name in enumerate(REQUESTS):
        submit(tmp_path, Request(number.to_bytes(16, "big"), name, args.get(name, {}), BOOT, HOUR_NS, PEOPLE))
    assert [request.name for request in RequestBox(tmp_path).take()] == list(REQUESTS)


PEOPLE = ("olga", "omar")
EXPLAINED: dict[str, Any] = {"finding": "new-edge", "severity": "review", "hours": 8, "why": "ticket 4711"}
DEVICE: dict[str, Any] = {"device": "00:d0:75:18:42:9b"}
SUPPRESSIONS: list[dict[str, Any]] = [
    EXPLAINED | DEVICE,
    EXPLAINED | {"role": "printer", "peer": "10.1.0.0/16", "protocol": "tcp", "port": 22, "hours": 8784},
]
NOT_SUPPRESSIONS: list[dict[str, Any]] = [
    EXPLAINED,
    EXPLAINED | DEVICE | {"role": "printer"},
    EXPLAINED | DEVICE | {"start_s": 1},
    EXPLAINED | DEVICE | {"owner": "somebody else"},
    *(EXPLAINED | DEVICE | {"hours": value} for value in (0, 8785, True, 1.5, "8", None)),
    *(EXPLAINED | DEVICE | {"port": value} for value in (0, 65_536, "22", None)),
    *(EXPLAINED | DEVICE | {"peer": value} for value in ("", "the laptop", "x" * 50, 7)),
    *(EXPLAINED | DEVICE | {"why": value} for value in ("", "x" * 65, "a\x1b[2J", None)),
    EXPLAINED | {"device": "*"},
    *({key: value for key, value in (EXPLAINED | DEVICE).items() if key != left_out} for left_out in EXPLAINED),
]
LEARNING = [
    {"action": "start", "role": "infusion-pump"},
    {"action": "freeze", "device": "00:d0:75:18:42:9b"},
    {"action": "reset", "role": "printer"},
    {"action": "approve", "device": "00:d0:75:18:42:9b"},
]
NOT_LEARNING = [
    {},
    {"action": "start"},
    {"action": "forget", "role": "printer"},
    {"action": "start", "role": "*"},
    {"action": "start", "role": "../etc"},
    {"action": "start", "role": ["printer"]},
    {"action": ["start"], "role": "printer"},
    {"action": "start", "role": "printer", "device": "00:d0:75:18:42:9b"},
    {"action": "start", "device": "00:D0:75:18:42:9B"},
    {"action": "start", "device": 7},
]
WINDOWS = [
    {"role": "*", "start_s": 1, "end_s": 2},
    {"role": "ventilator", "start_s": 1_793_606_400, "end_s": 1_793_606_400 + 7 * 86_400},
]
NOT_WINDOWS = [
    {"role": "*", "start_s": 1},
    {"role": "*", "start_s": 2, "end_s": 2},
    {"role": "*", "start_s": True, "end_s": 2},
    {"role": "*", "start_s": 1.5, "end_s": 2},
    {"role": "", "start_s": 1, "end_s": 2},
    {"role": "*", "start_s": 1, "end_s": 1 << 60},
    {"role": "*", "start_s": 1, "end_s": 7 * 86_400 + 2},
    {"role": "*", "start_s": 1, "end_s": 2, "why": "x"},
]


@pytest.mark.parametrize(
    ("name", "args"), [*(("set-learning", a) for a in LEARNING), *(("change-window", a) for a in WINDOWS)]
)
def test_learning_and_windows_are_taken(tmp_path: Path, name: str, args: dict[str, object]) -> None:
    submit(tmp_path, Request(ID, name, args))
    assert RequestBox(tmp_path).take() == [Request(ID, name, args)]


@pytest.mark.parametrize(
    ("name", "args"), [*(("set-learning", a) for a in NOT_LEARNING), *(("change-window", a) for a in NOT_WINDOWS)]
)
def test_other_forms_of_them_are_not(tmp_path: Path, name: str, args: dict[str, object]) -> None:
    with pytest.raises(Refused):
        submit(tmp_path, Request(ID, name, args))
    (tmp_path / f"{ID.hex()}.req").write_text(json.dumps({"version": 1, "name": name, "args": args}))
    box = RequestBox(tmp_path)
    assert box.take() == []
    assert box.refused == 1


@pytest.mark.parametrize("args", SUPPRESSIONS)
def test_a_suppression_is_taken_with_who_ordered_it(tmp_path: Path, args: dict[str, Any]) -> None:
    asked = Request(ID, "suppress", args, BOOT, HOUR_NS, ("olga",))
    submit(tmp_path, asked)
    assert RequestBox(tmp_path).take() == [asked]


@pytest.mark.parametrize("args", NOT_SUPPRESSIONS)
def test_other_forms_of_a_suppression_are_not(tmp_path: Path, args: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        submit(tmp_path, Request(ID, "suppress", args, BOOT, HOUR_NS, ("olga",)))
    held = {"version": 1, "name": "suppress", "args": args, "boot": BOOT.hex(), "not_after_mono_ns": HOUR_NS}
    (tmp_path / f"{ID.hex()}.req").write_text(json.dumps(held | {"signers": ["olga"]}))
    assert RequestBox(tmp_path).take() == []


@pytest.mark.parametrize("signers", [[], ["olga"], ["olga", "olga"], ["Olga", "omar"], ["a", "b", "c"], "ab", [7, 8]])
def test_a_recording_names_two_different_people(tmp_path: Path, signers: Any) -> None:
    args = {"device": "00:d0:75:18:42:9b", "seconds": 1}
    held = {"version": 1, "name": "record-headers", "args": args, "boot": BOOT.hex(), "not_after_mono_ns": HOUR_NS}
    (tmp_path / f"{ID.hex()}.req").write_text(json.dumps(held | {"signers": signers}))
    box = RequestBox(tmp_path)
    assert box.take() == []
    assert box.refused == 1


BOOT, HOUR_NS = b"b" * 16, 3600 * 10**9
TIMED = Request(ID, "quiesce", {"seconds": 60}, BOOT, HOUR_NS)


def test_the_commands_boot_and_end_come_with_it(tmp_path: Path) -> None:
    submit(tmp_path, TIMED)
    (taken,) = RequestBox(tmp_path).take()
    assert taken == TIMED
    assert taken.late(BOOT, HOUR_NS - 1) == ""
    assert taken.late(BOOT, HOUR_NS) == "expired"
    assert taken.late(bytes(16), 1) == "wrong-boot"


@pytest.mark.parametrize("name", ["record-headers", "quiesce", "restart", "suppress", "unsuppress"])
def test_what_interrupts_or_looks_never_comes_without_an_end(tmp_path: Path, name: str) -> None:
    args = {
        "record-headers": {"device": "00:d0:75:18:42:9b", "seconds": 1},
        "quiesce": {"seconds": 60},
        "restart": {"what": "sensor"},
        "suppress": SUPPRESSIONS[0],
        "unsuppress": {"suppression": "0f" * 16},
    }
    for request in (
        Request(ID, name, args[name], signers=PEOPLE),
        Request(ID, name, args[name], BOOT, signers=PEOPLE),
        Request(ID, name, args[name], b"", 9, PEOPLE),
    ):
        with pytest.raises(Refused):
            submit(tmp_path, request)
    held = {"version": 1, "name": name, "args": args[name], "signers": list(PEOPLE)}
    (tmp_path / f"{ID.hex()}.req").write_text(json.dumps(held))
    box = RequestBox(tmp_path)
    assert box.take() == []
    assert box.refused == 1


@pytest.mark.parametrize(
    "spoiled",
    [{"boot": 7}, {"boot": "zz"}, {"boot": "00"}, {"not_after_mono_ns": "9"}, {"not_after_mono_ns": -1}]
    + [{"args": {"seconds": value}} for value in (0, 9, 3601, True, "60", None, 1e9)],
)
def test_other_forms_of_boot_end_and_arguments_are_refused(tmp_path: Path, spoiled: dict[str, object]) -> None:
    held = {"version": 1, "name": "quiesce", "args": {"seconds": 60}, "boot": BOOT.hex(), "not_after_mono_ns": HOUR_NS}
    (tmp_path / f"{ID.hex()}.req").write_text(json.dumps(held | spoiled))
    assert RequestBox(tmp_path).take() == []


def test_a_request_that_was_taken_back_is_gone(tmp_path: Path) -> None:
    submit(tmp_path, TIMED)
    assert withdraw(tmp_path, ID)
    assert not withdraw(tmp_path, ID)
    assert RequestBox(tmp_path).take() == []


def test_a_restart_that_cannot_be_removed_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be done again by the next process, and the next."""
    submit(tmp_path, TIMED)
    submit(tmp_path, Request(bytes(16), "cards"))
    monkeypatch.setattr(Path, "unlink", _refuse)
    box = RequestBox(tmp_path)
    assert [request.name for request in box.take()] == ["cards"]
    assert box.refused == 1


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")
