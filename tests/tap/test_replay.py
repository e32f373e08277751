"""Capture files in every form, whole, cut at every octet, and not captures at all."""

import gzip
import os
import struct
import threading
from pathlib import Path

import pytest

from tests.forge.pcap import LINUX_SLL, Frame, Pcap, pcapng
from tests.tap.files import Read, enhanced, interface, obsolete, read, section, simple

S = 1_000_000_000
FRAMES = [
    Frame(1_793_606_400 * S + 123_456_789, bytes(range(60))),
    Frame(1_793_606_400 * S + 123_457_000, b""),
    Frame(1_793_606_401 * S, b"cut" * 20, 1500),
]


def stored(folder: Path, octets: bytes, name: str = "a.pcap") -> Path:
    """A file with these octets."""
    path = folder / name
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_classic_files(tmp_path: Path, *, big_endian: bool, nanoseconds: bool) -> None:
    path = stored(tmp_path, Pcap(LINUX_SLL, nanoseconds, big_endian).octets(FRAMES))
    found, faults = read(path)
    unit = 1 if nanoseconds else 1000
    assert not faults
    assert found == [
        Read(f.time_ns // unit * unit, f.octets, f.wirelen or len(f.octets), LINUX_SLL) for f in FRAMES
    ]  # fmt: skip


@pytest.mark.parametrize("big_endian", [False, True])
def test_pcapng_files(tmp_path: Path, *, big_endian: bool) -> None:
    found, faults = read(stored(tmp_path, pcapng(FRAMES, link=113, big_endian=big_endian)))
    assert not faults
    assert found == [Read(f.time_ns, f.octets, f.wirelen or len(f.octets), 113) for f in FRAMES]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns"),
    [
        (None, 1_793_606_400_123_456, 1_793_606_400_123_456_000),  # microseconds without the option
        (0, 1_793_606_400, 1_793_606_400 * S),
        (3, 1_793_606_400_123, 1_793_606_400_123_000_000),
        (6, 1_793_606_400_123_456, 1_793_606_400_123_456_000),
        (9, 1_793_606_400_123_456_789, 1_793_606_400_123_456_789),
        (10, 17_936_064_001_234_567_890, 1_793_606_400_123_456_789),  # finer than a nanosecond
        (0x80 | 10, 1_793_606_400 * 1024 + 512, 1_793_606_400 * S + S // 2),  # a power of two
        (0x80 | 20, 1_793_606_400 * (1 << 20) + 1, 1_793_606_400 * S + 953),
    ],
)
def test_times_of_pcapng(tmp_path: Path, order: str, resolution: int | None, ticks: int, time_ns: int) -> None:
    octets = section(order) + interface(resolution=resolution, order=order) + enhanced(b"x", ticks, order=order)
    (found,), faults = read(stored(tmp_path, octets))
    assert (found.time_ns, faults) == (time_ns, [])


def test_interfaces_sections_and_old_blocks_together(tmp_path: Path) -> None:
    octets = section() + interface(1) + interface(101, resolution=9)
    octets += enhanced(b"first", 5, 0) + enhanced(b"second", 5, 1) + obsolete(b"third", 6, 1)
    octets += enhanced(b"of nobody", 5, 2)  # an interface that was not described
    octets += section(">") + interface(113, order=">") + enhanced(b"fourth", 7, 0, ">") + simple(b"fifth", order=">")
    octets += section() + simple(b"before any interface") + interface(1, snaplen=3) + simple(b"sixth", 900)
    found, faults = read(stored(tmp_path, octets))
    assert not faults
    assert found == [
        Read(5000, b"first", 5, 1),
        Read(5, b"second", 6, 101),
        Read(6, b"third", 5, 101),
        Read(7000, b"fourth", 6, 113),
        Read(0, b"fifth", 5, 113),
        Read(0, b"six", 900, 1),
    ]


@pytest.mark.parametrize("kind", ["classic", "ng"])
def test_cut_at_every_octet(tmp_path: Path, kind: str) -> None:
    """Whatever is whole is given, and the cut is named unless it fell between two records."""
    whole = Pcap().octets(FRAMES) if kind == "classic" else pcapng(FRAMES)
    full, _ = read(stored(tmp_path, whole))
    ends = {24, 24 + 76, 24 + 92, len(whole)} if kind == "classic" else {len(pcapng(FRAMES[:n])) for n in range(4)}
    ends |= {28} if kind == "ng" else set()  # after the section header
    for size in range(len(whole)):
        found, faults = read(stored(tmp_path, whole[:size]))
        assert found == full[: len(found)]
        assert len(found) == sum(size >= end for end in sorted(ends)[-len(full) :])
        assert (faults == []) == (size in ends), (size, faults)
        assert all(str(tmp_path) in fault.where for fault in faults)


def test_fault_says_file_offset_and_why(tmp_path: Path) -> None:
    path = stored(tmp_path, Pcap().octets(FRAMES)[:-1])
    found, (fault,) = read(path)
    assert len(found) == 2
    assert (
        str(fault) == f"{path}: offset {24 + 76 + 16}: the file ends inside a frame (what came before it is reported)"
    )


def test_gzip_of_either_form(tmp_path: Path) -> None:
    for octets in (Pcap().octets(FRAMES), pcapng(FRAMES)):
        found, faults = read(stored(tmp_path, gzip.compress(octets)))
        assert (len(found), faults) == (3, [])


def test_gzip_damage_keeps_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(Pcap().octets([Frame(n * S, os.urandom(1000)) for n in range(100)]))
    found, faults = read(stored(tmp_path, packed[: len(packed) // 2]))
    assert 30 < len(found) < 60
    assert [fault for fault in faults if "gzip damage" in fault.what]
    wrong = bytearray(packed)
    wrong[-8] ^= 1  # the checksum
    found, faults = read(stored(tmp_path, bytes(wrong)))
    assert len(found) == 100
    assert len(faults) == 1
    assert not read(stored(tmp_path, packed[:2]))[0]


@pytest.mark.parametrize("octets", [b"", b"a", b"\xd4\xc3\xb2", b"GIF89a" * 20, bytes(100), b"\x1f\x8b"])
def test_no_capture_at_all(tmp_path: Path, octets: bytes) -> None:
    found, faults = read(stored(tmp_path, octets))
    assert found == []
    assert faults
    assert "\n" not in str(faults[0])


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    found, faults = read(tmp_path, tmp_path / "missing.pcap", Path("/dev/null"))
    assert not found
    assert [fault.what for fault in faults] == [
        "this is a directory, not a capture file", "No such file or directory", "the file is empty",
    ]  # fmt: skip


def test_file_of_somebody_else(tmp_path: Path) -> None:
    path = stored(tmp_path, Pcap().octets(FRAMES))
    path.chmod(0)
    try:
        if os.geteuid() == 0:
            os.seteuid(65534)
        found, faults = read(path)
    finally:
        os.seteuid(os.getuid())
    assert (found, [fault.what for fault in faults]) == ([], ["Permission denied"])


def test_a_fault_does_not_stop_the_files_after_it(tmp_path: Path) -> None:
    good = stored(tmp_path, Pcap().octets(FRAMES), "good.pcap")
    bad = stored(tmp_path, b"nothing", "bad.pcap")
    found, faults = read(good, bad, tmp_path / "missing", good)
    assert (len(found), len(faults)) == (6, 2)


@pytest.mark.parametrize("packed", [False, True])
def test_pipe(tmp_path: Path, *, packed: bool) -> None:
    """What cannot be mapped is copied first."""
    octets = Pcap().octets(FRAMES)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(octets) if packed else octets,))
    writer.start()
    found, faults = read(pipe)
    writer.join()
    assert (len(found), faults) == (3, [])


def test_empty_capture_is_a_capture(tmp_path: Path) -> None:
    assert read(stored(tmp_path, Pcap().octets([]))) == ([], [])
    assert read(stored(tmp_path, pcapng([]))) == ([], [])


def test_times_beyond_2038_and_backwards(tmp_path: Path) -> None:
    times = [4_294_967_295 * S, 2_147_483_648 * S, 0, 2_147_483_647 * S]
    found, faults = read(stored(tmp_path, Pcap().octets([Frame(time, b"x") for time in times])))
    assert not faults
    assert [frame.time_ns for frame in found] == times


def test_more_microseconds_than_a_second(tmp_path: Path) -> None:
    """A damaged writer's; kept as it adds up."""
    octets = Pcap().octets([]) + struct.pack("<IIII", 10, 0xFFFFFFFF, 1, 1) + b"x"
    (found,), faults = read(stored(tmp_path, octets))
    assert (found.time_ns, faults) == (10 * S + 0xFFFFFFFF * 1000, [])


def test_many_bursts(tmp_path: Path) -> None:
    count = 20_000
    found, faults = read(stored(tmp_path, Pcap().octets(Frame(n * 1000, n.to_bytes(4, "big")) for n in range(count))))
    assert not faults
    assert [int.from_bytes(frame.octets) for frame in found] == list(range(count))


def test_formats_that_only_libpcap_reads(tmp_path: Path) -> None:
    """Kuznetzov's modified format: 24 octets before each frame."""
    octets = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 262144, 1)
    for number in range(3):
        octets += struct.pack("<IIIIIHBB", 100 + number, 5, 4, 60, 1, 0x800, 0, 0) + b"data"
    found, faults = read(stored(tmp_path, octets))
    assert not faults
    assert found == [Read((100 + n) * S + 5000, b"data", 60, 1) for n in range(3)]
    found, faults = read(stored(tmp_path, octets[:-1]))
    assert len(found) == 2
    assert "after frame 2" in faults[0].where
