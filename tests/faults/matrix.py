"""The fault matrix of delivery as data: each row's fault, the tests that hold it, how often in every run and in full.

Rows are those of the table in delivery.md: A spool and process, B broker, network and clock, D messages, E collector;
the rows C, a tap under attack, have a page of their own (README.md). `python -m tests.faults.soak` runs the full form.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

FULL = bool(os.environ.get("WARDTAP_SLOW"))


class Row(NamedTuple):
    """One row: what is done, and the tests that hold it, `file` or `file::test` below tests/."""

    fault: str
    tests: tuple[str, ...]


WRITER, MATRIX, SESSION = "spool/test_writer.py", "faults/test_spool_matrix.py", "uplink/test_session.py"
FILES = "faults/test_collector_store.py"
DISK, STILL, TLS = "faults/test_refusing_disk.py", "faults/test_standstill.py", "uplink/test_session_tls.py"
KILLS, CALLS, CUTS = "faults/test_kills.py", "faults/test_system_calls.py", "faults/test_power_cut.py"
BROKERS, COLLECTOR, STORE = "uplink/test_session_brokers.py", "faults/test_collector_matrix.py", "collector/store"
ROWS = {
    "A1": Row(
        "sensor, uplink and collector killed at any moment; the uplink at each system call",
        (f"{KILLS}::test_sensor_uplink_and_", f"{CALLS}::test_uplink_", "faults/test_delivery.py"),
    ),
    "A2": Row("power cut, ext4 and XFS", (f"{CUTS}::test_a_spool_whose_power_is_cut", "spool/test_writer_model.py")),
    "A3": Row("death at each call of a script", (f"{MATRIX}::test_a3_", f"{CALLS}::test_sensor_")),
    "A4": Row(
        "fsync fails once, for ever",
        (
            *(f"{WRITER}::test_one_error_on_any_call_", f"{WRITER}::test_after_a_failed_"),
            *(f"{WRITER}::test_a_disk_that_", f"{DISK}::test_a_sensor_whose_fsyncs_"),
        ),
    ),
    "A5": Row(
        "full disk, ten minutes under a listening sensor",
        (f"{WRITER}::test_a_really_full_disk", f"{WRITER}::test_full_", f"{DISK}::test_a_sensor_whose_disk_is_"),
    ),
    "A6": Row(
        "read-only, deleted, of another owner, no inodes",
        (
            *(f"{WRITER}::test_a_read_only_", f"{WRITER}::test_a_folder_deleted_", f"{WRITER}::test_a_place_where_"),
            *(f"{DISK}::test_no_name_", f"{DISK}::test_a_folder_of_", f"{DISK}::test_a_sensor_whose_folder_"),
        ),
    ),
    "A7": Row("a damaged spool", (f"{MATRIX}::test_a7_", "spool/test_reader.py", "spool/test_recovery.py")),
    "A8": Row("a disk that takes 0.5 s and 5 s for an fsync", ("faults/test_slow_disk.py",)),
    "A9": Row("72 hours away (simulated time)", (f"{MATRIX}::test_a9_",)),
    "A10": Row("progress file lost, old, of another time", (f"{MATRIX}::test_a10_",)),
    "A11": Row(
        "two owners of one spool", (f"{WRITER}::test_a_second_owner_", "faults/test_delivery.py::test_a_second_uplink_")
    ),
    "B1": Row(
        "broker killed, its state kept",
        (f"{KILLS}::test_broker_killed_and_its_state[kept]", f"{KILLS}::test_broker_killed_that_saves_"),
    ),
    "B2": Row("broker killed, its state deleted", (f"{KILLS}::test_broker_killed_and_its_state[deleted]",)),
    "B3": Row(
        "a broker that keeps ten messages",
        (
            f"{KILLS}::test_a_broker_that_keeps_ten_messages",
            f"{KILLS}::test_a_collector_that_is_away_",
        ),
    ),
    "B4": Row(
        "a wire that swallows everything for 60 s, one that is down for 60 s",
        ("faults/test_narrow.py::test_a_wire_", f"{SESSION}::test_a_network_that_", "uplink/test_session_silence.py"),
    ),
    "B5": Row("64 kbit/s for 120 s", ("faults/test_narrow.py::test_sixty_four_kilobits",)),
    "B6": Row(
        "wires that dribble, stall, cut, repeat; an end that is no broker; a thousand reconnects",
        (
            "faults/test_bad_wires.py",
            f"{SESSION}::test_an_end_that_",
            f"{SESSION}::test_a_silent_end_",
            f"{BROKERS}::test_threads_and_",
        ),
    ),
    "B7": Row(
        "TLS: expired, not valid yet, wrong CA, wrong name, empty, 1.0, plain port, the clock at 1970",
        (TLS, f"{SESSION}::test_tls_", f"{SESSION}::test_papers_"),
    ),
    "B8": Row(
        "one identity in two boxes",
        ("faults/test_two_boxes.py", "collector/test_turns.py", f"{STORE}/test_writer.py::test_a_copied_storage_"),
    ),
    "B9": Row("clocks of 1970, +10 years, -1 day, jumps", ("faults/test_clocks.py", "service/test_timekeeping.py")),
    "B10": Row(
        "uplink and broker stand still; a flood of CONNECTs; everybody reconnects at once",
        (STILL, f"{SESSION}::test_the_wait_grows_", "faults/test_scarcity.py::test_what_the_kernel_"),
    ),
    "D1": Row("every bit of an envelope flipped", ("signing/test_envelope.py",)),
    "D2": Row("malleated signatures, weak keys", ("signing/test_keys.py",)),
    "D3": Row("type, agent, site or topic of another", ("collector/test_intake.py",)),
    "D4": Row(
        "repeated ten times, in any order, a day late; commands played again",
        (f"{COLLECTOR}::test_d4_", "collector/test_taps.py::test_what_is_not_here_", "commands/test_executed.py"),
    ),
    "D5": Row("retained command, will, wildcards", ("commands/test_inbox.py", "firmware_config/test_broker.py")),
    "D6": Row(
        "hostile msgpack and hostile messages",
        ("wire/test_codec.py", "faults/test_bad_input.py", "faults/test_messages.py"),
    ),
    "D7": Row("zlib bombs", ("wire/test_codec.py::test_a_zlib_bomb_", "faults/test_bad_input.py")),
    "D8": Row("10,000 forgeries a second (simulated time)", (f"{COLLECTOR}::test_d8_", "collector/test_gate.py")),
    "D9": Row(
        "commands: expired, replayed, one signature of two",
        ("commands/test_inbox.py", "commands/test_policy.py", "commands/test_executed.py", "service/test_errands.py"),
    ),
    "D10": Row(
        "updates: older, frozen, mixed, huge, wrong key; one that does not come up is taken back",
        (
            *("install/test_cuts.py", "update/test_laid.py", "signing/test_trust.py"),
            *("install/test_releases.py", "install/test_requested.py"),
        ),
    ),
    "D11": Row("privileges (unit files)", ("firmware_config/test_units.py",)),
    "D12": Row(
        "audit log changed, cut, made anew",
        ("commands/test_audit.py", "ctl/test_audit.py", "collector/test_notes.py"),
    ),
    "E1": Row(
        "collector killed at any moment and at each system call; its power cut",
        (
            *(f"{KILLS}::test_collector_killed_", f"{CALLS}::test_collector_", f"{CUTS}::test_a_collector_"),
            f"{FILES}::test_killed_",
        ),
    ),
    "E2": Row("one of two collectors killed", (f"{KILLS}::test_one_of_two_",)),
    "E3": Row(
        "database locked, disk full, file of an earlier release",
        (
            f"{STORE}/test_writer.py::test_a_locked_",
            *(f"{FILES}::test_a_full_file_system_", f"{FILES}::test_a_locked_file_", f"{FILES}::test_a_newer_"),
        ),
    ),
    "E4": Row("last night's database", (f"{COLLECTOR}::test_e4_",)),
    "E11": Row("all of it on one simulated clock, by seed", ("faults/test_simulation.py",)),
}
# Faults of one test: in every run, and in the full form.
COUNTS = {
    "A1": (5, 1000),
    "A2": (2, 250),
    "A2-xfs": (1, 50),
    "A5": (0, 600),  # seconds of a full disk
    "B1": (1, 100),
    "B1-default": (0, 600),  # seconds of a broker that saves every half an hour
    "B2": (2, 200),
    "B3": (1, 10),
    "B3-away": (0, 300),  # seconds without a collector
    "B4": (0, 60),  # seconds of silence: twice the keepalive
    "B5": (2, 120),  # seconds at 64 kbit/s
    "B6": (0, 10),  # seconds of each kind of bad wire
    "B10": (0, 600),  # seconds that an uplink stands still
    "B10-broker": (0, 120),  # and a broker
    "B10-connects": (200, 60_000),
    "E1": (3, 500),
    "E1-power": (1, 100),
    "E2": (1, 100),
    "E3": (0, 60),  # seconds of a locked database
    "E11": (1000, 10_000),
}


def count(name: str) -> int:
    """How many faults a test makes now; `WARDTAP_SLOW=1` asks for the full form."""
    return COUNTS[name][FULL]


def tally(row: str, *, sent: int, faults: int, lost: int, duplicated: int, note: str = "") -> None:
    """Say what was counted, for the table that the full form writes; a test asserts for itself."""
    place = os.environ.get("WARDTAP_TALLY")
    if place:
        line = {"row": row, "sent": sent, "faults": faults, "lost": lost, "duplicated": duplicated, "note": note}
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


# Debian's programs that rows need. Where they and root are, a skipped test of the matrix has failed, unless it asks for
# what no package gives: this kernel's leave, the compiler, or the full form.
PROGRAMS = (
    "mosquitto",
    "nats-server",
    "strace",
    "mkfs.ext4",
    "mkfs.xfs",
    "tc",
    "nft",
    "ip",
    "nsenter",
    "openssl",
    "faketime",
)
EXCUSES = re.compile("kernel|mount|WARDTAP_SLOW|JIT")


def is_complete() -> bool:
    """Whether this machine has what the matrix needs."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return os.geteuid() == 0 and all(shutil.which(name, path=path) for name in PROGRAMS)


def selected(node: str) -> list[str]:
    """The rows that a test belongs to; `node` is pytest's name of it, below tests/."""
    return [name for name, row in ROWS.items() if any(node.startswith(test) for test in row.tests)]
