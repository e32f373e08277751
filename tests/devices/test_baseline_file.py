"""The baseline's file: the same after a restart, refused when one bit of it is wrong."""

import os
from pathlib import Path

import pytest

from agent.devices.baseline import Baseline, Order, Phase
from agent.devices.baseline_file import WINDOWS_MAX, Window, decode, encode, read
from agent.devices.roles import ROLES
from agent.durable import write_atomically
from agent.errors import StateError
from tests.devices.test_baseline import MACS, NOW, is_new, settled

WINDOW = Window("infusion-pump", NOW, NOW + 3600 * 10**9)


def taught() -> Baseline:
    """A settled baseline with everything in it."""
    base = settled((3613, 443))
    base.order_device(Order.FREEZE, MACS[2], NOW)
    (key,) = [next(iter(base.pools[0].kinds)) + 1]
    base.said(MACS[0], key)
    base.order_role(Order.APPROVE, "infusion-pump")
    return base


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    base, path = taught(), tmp_path / "baseline"
    write_atomically(path, encode(base, (WINDOW,)))
    again, windows = read(path, ROLES)
    assert windows == (WINDOW,)
    assert again.pools == base.pools
    assert again.devices == base.devices
    assert encode(again, windows) == encode(base, (WINDOW,))
    assert is_new(again, 0, 9999)
    assert not is_new(again, 0, 3613)
    assert again.learned("infusion-pump").phase is Phase.SETTLED


def test_there_is_none_at_first(tmp_path: Path) -> None:
    base, windows = read(tmp_path / "baseline", ROLES)
    assert not base.pools
    assert not windows


def test_any_flipped_bit_is_found() -> None:
    raw = encode(taught())
    for at in range(0, len(raw), 7):
        broken = bytearray(raw)
        broken[at] ^= 1 << at % 8
        with pytest.raises(StateError):
            decode(bytes(broken), ROLES)


@pytest.mark.parametrize("length", [0, 1, 17, 40, 84, 85, 200])
def test_a_cut_file_is_refused(length: int) -> None:
    with pytest.raises(StateError):
        decode(encode(taught())[:length], ROLES)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"pools": [], "devices": {}, "windows": []}', b"[" * 100_000])
def test_a_right_checksum_over_nonsense_is_refused(body: bytes) -> None:
    import hashlib  # noqa: PLC0415 - only here

    with pytest.raises(StateError):
        decode(f"wardtap-baseline 1 {hashlib.sha256(body).hexdigest()}\n".encode() + body, ROLES)


def test_another_version_is_refused_with_its_number() -> None:
    raw = encode(Baseline(ROLES)).replace(b"wardtap-baseline 1 ", b"wardtap-baseline 9 ")
    with pytest.raises(StateError, match="version 9"):
        decode(raw, ROLES)


def test_roles_of_another_release_are_left_out() -> None:
    older = tuple(role for role in ROLES if role != "infusion-pump")
    again, _ = decode(encode(taught()), older)
    assert not again.pools


def test_windows_are_bounded() -> None:
    _, windows = decode(encode(Baseline(ROLES), (WINDOW,) * 200), ROLES)
    assert len(windows) == WINDOWS_MAX


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name in ("pipe", "link"):
        with pytest.raises(StateError):
            read(tmp_path / name, ROLES)
