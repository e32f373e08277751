"""A file is taken as it was written, or not at all."""

import os
import random
from pathlib import Path

import pytest

from agent.devices.checked_file import Form, read_octets, seal, unseal
from agent.errors import StateError

FORM = Form("wardtap-thing", 3, "a thing", 1000)
CONTENT = {"b": [1, 2, {"c": "d"}], "a": "x"}


def test_it_comes_back_and_the_same_content_gives_the_same_octets() -> None:
    raw = seal(FORM, CONTENT)
    assert unseal(FORM, raw) == CONTENT
    assert raw == seal(FORM, dict(reversed(CONTENT.items())))
    assert raw.startswith(b"wardtap-thing 3 ")


def test_any_flipped_bit_and_any_cut_is_found() -> None:
    raw, rng = seal(FORM, CONTENT), random.Random(1)
    for at in range(len(raw)):
        broken = bytearray(raw)
        broken[at] ^= 1 << rng.randrange(8)
        with pytest.raises(StateError):
            unseal(FORM, bytes(broken))
        with pytest.raises(StateError):
            unseal(FORM, raw[:at])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "this is no thing"),
        (b"wardtap-other 3 0\n{}", "this is no thing"),
        (b"wardtap-thing 4 0\n{}", "a thing of version 4, this release reads version 3"),
        (b"wardtap-thing 3 0\n{}", "the thing is damaged: its checksum is wrong"),
        (seal(FORM, {}).partition(b"\n")[0] + b"\n{} ", "checksum"),
    ],
)
def test_the_reason_is_told(raw: bytes, reason: str) -> None:
    with pytest.raises(StateError, match=reason):
        unseal(FORM, raw)


def test_what_is_no_file_of_ours_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "thing"
    assert read_octets(FORM, path) is None
    path.write_bytes(b"x" * 1000)
    assert read_octets(FORM, path) == b"x" * 1000
    path.write_bytes(b"x" * 1001)
    with pytest.raises(StateError, match="longer than 1000"):
        read_octets(FORM, path)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(StateError, match="cannot be read"):
        read_octets(FORM, tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StateError, match="no regular file"):
        read_octets(FORM, tmp_path / "pipe")
