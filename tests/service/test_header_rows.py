"""Rows of one device, no payload, a bounded file, and an end."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.clock import NS_PER_S
from agent.commands.requests import Request
from agent.errors import Refused
from agent.packets.records import PACKET
from agent.service import header_rows
from agent.service.header_rows import PLAIN, HeaderRows
from agent.service.overload import Detail
from tests.devices.bench import hello, session
from tests.flows.talks import HOSTS
from tests.service.bench import Sensor
from tests.simulators.bursts import HASHES, Heard, burst_of

pytestmark = HASHES
A, B, C = HOSTS[:3]
MARK = b"PATIENT^JANE"
PEOPLE = ("cora", "carl")


def request(number: int = 1, device: str = A[1], seconds: int = 60) -> Request:
    return Request(
        number.to_bytes(16, "big"), "record-headers", {"device": device, "seconds": seconds}, b"b" * 16, 9, PEOPLE
    )


def heard(recorder: HeaderRows, times: int = 1) -> int:
    """Bursts of a session and of strangers, through the real decoder; the rows that were there."""
    sensor, count = Sensor(), 0
    for _ in range(times):
        frames = [*session((A, B), 1), hello(A), hello(B), hello(C)]
        burst = burst_of(Heard(f.octets + MARK, len(f.octets) + len(MARK), time_ns=f.time_ns) for f in frames)
        rows = sensor.pipeline.buffer()
        sensor.pipeline.decode(burst, rows)
        recorder.take(rows, burst.count)
        count += burst.count
    return count


def lines(state: Path, told: dict[str, Any]) -> list[dict[str, Any]]:
    octets = (state / "sensor" / str(told["file"])).read_bytes()
    assert hashlib.sha256(octets).digest() == told["sha256"]
    assert len(octets) == told["octets"]
    assert MARK not in octets
    return [json.loads(line) for line in octets.splitlines()]


def test_rows_of_one_device_and_no_payload(tmp_path: Path) -> None:
    recorder = HeaderRows(tmp_path)
    recorder.start(request(), 0)
    count = heard(recorder)
    asked, fault, told = recorder.finish()
    rows = lines(tmp_path, told)
    assert (asked, fault) == (request(), "")
    assert 0 < told["rows"] == len(rows) < count
    assert all(A[1] in {row["src_mac"], row["dst_mac"]} for row in rows)
    assert {row["src"] for row in rows if row["ip_version"] == 4} == {A[0], B[0]}
    assert set(rows[0]) <= {*PLAIN, "src_mac", "dst_mac", "src", "dst"}


def test_a_frame_that_was_not_looked_at_is_counted_and_never_made_up(tmp_path: Path) -> None:
    """Under overload a row still holds the addresses of the frame before it."""
    recorder, sensor = HeaderRows(tmp_path), Sensor()
    recorder.start(request(), 0)
    frames = session((A, B), 1)
    burst = burst_of(Heard(f.octets, time_ns=f.time_ns) for f in frames)
    rows = sensor.pipeline.buffer()
    sensor.pipeline.decode(burst, rows)
    assert np.any(rows["src_mac"] == rows["src_mac"][0])
    sensor.pipeline.look_as(Detail.TOTALS)
    sensor.pipeline.take_live(burst, rows)
    recorder.take(rows, burst.count)
    told = recorder.finish()[2]
    assert (told["rows"], told["overload"]) == (0, len(frames))


def test_where_a_payload_lies_is_not_written() -> None:
    assert {"payload", "payload_caplen", "hint", "flow", "l4_checksum"} <= set(PACKET.names or ()) - set(PLAIN)


def test_its_time_ends_it(tmp_path: Path) -> None:
    recorder = HeaderRows(tmp_path)
    assert not recorder.due(1 << 62)
    recorder.start(request(seconds=2), 10)
    assert not recorder.due(2 * NS_PER_S)
    assert recorder.due(2 * NS_PER_S + 10)
    recorder.finish()


def test_a_full_file_ends_it_and_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_rows, "FILE_BYTES_MAX", 1000)
    recorder = HeaderRows(tmp_path)
    recorder.start(request(), 0)
    heard(recorder)
    assert recorder.due(0)
    told = recorder.finish()[2]
    assert told["octets"] <= 1000
    assert told["left_out"] > 0
    assert len(lines(tmp_path, told)) == told["rows"] > 0


def test_every_summary_says_so_the_last_one_too(tmp_path: Path) -> None:
    recorder = HeaderRows(tmp_path)
    assert recorder.health(0) == {}
    recorder.start(request(), 0)
    heard(recorder)
    for _ in range(2):
        assert recorder.health(10 * NS_PER_S) == {
            "recording": f"headers of {A[1]}, {recorder.rows} rows, 50 s left",
            "recording_command": request().id.hex(),
            "recording_by": "cora, carl",
        }
    recorder.finish()
    assert str(recorder.health(61 * NS_PER_S)["recording"]).endswith("0 s left"), "it ended within this interval"
    assert recorder.health(120 * NS_PER_S) == {}


def test_one_at_a_time_and_three_files(tmp_path: Path) -> None:
    recorder = HeaderRows(tmp_path)
    for number in range(1, 7):
        recorder.start(request(number), 0)
        with pytest.raises(Refused) as caught:
            recorder.start(request(99), 0)
        assert caught.value.reason == "busy"
        recorder.finish()
    assert len(list((tmp_path / "sensor" / "headers").iterdir())) == header_rows.FILES_KEPT
    assert (tmp_path / "sensor" / "headers").stat().st_mode & 0o077 == 0


def test_without_a_recording_nothing_is_looked_at(tmp_path: Path) -> None:
    heard(HeaderRows(tmp_path))
    assert not (tmp_path / "sensor").exists()
