"""The shapes of SMB exploits are found at any cut, and what file sharing sends is none."""

from pathlib import Path

import numpy as np
import pytest

from agent.packets import kernels_payload
from agent.packets.records import HintKind, Rows
from tests.forge import smb
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.packets.hints.news import signals
from tests.simulators.bursts import HASHES, Heard, burst_of, decode

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
GROOMING = b"\0\0\xff\xf7\xfeSMB" + bytes(60)
SHAPES = [
    (smb.trans2(0x0E), "session-setup"),
    (smb.trans2_answer(0x51), "implant"),
    (smb.trans2_answer(0x53), "implant"),
    (smb.nt_transact(0, 0x103D0), "too-large"),
    (smb.nt_transact(1, 0x10000), "too-large"),
    (smb.nt_transact(5), "rename"),
    (smb.peek_pipe(0), "probe"),
    (GROOMING, "broken-header"),
]
ORDINARY = [
    *(smb.trans2(number) for number in (0, 1, 3, 5, 6, 7, 8, 0x10, 0x11)),
    smb.trans2_answer(0x41),
    smb.trans2_answer(0x51, status=0),  # any message may have that number
    *(smb.nt_transact(number, 0xFFFF) for number in (1, 2, 3, 4, 6)),
    smb.peek_pipe(0x4001),
    smb.negotiate_smb1(), smb.negotiated_smb1(), smb.negotiate_smb2(), smb.negotiated_smb2(), smb.encrypted(b"x" * 90),
]  # fmt: skip


def recognised(data: bytes) -> Rows:
    """The row of a TCP payload, at the very end of the burst."""
    frame = ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(Tcp(40000, 445, flags=24).octets(A, B, data)))
    burst = burst_of([Heard(frame)])
    rows = decode(burst)
    kernels_payload.recognise_burst(rows, 1, burst.octets)
    return rows[0]


@pytest.mark.parametrize(("data", "word"), SHAPES)
def test_a_shape_is_seen(data: bytes, word: str) -> None:
    assert recognised(data)["hint"] == HintKind.SMB_EXPLOIT, word


@pytest.mark.parametrize("data", ORDINARY)
def test_what_file_sharing_sends_is_none(data: bytes) -> None:
    assert recognised(data)["hint"] == HintKind.SMB


@pytest.mark.parametrize(("data", "word"), SHAPES)
def test_every_cut_is_safe(data: bytes, word: str) -> None:
    kinds = {int(recognised(data[:size])["hint"]) for size in range(1, len(data))}
    assert kinds <= {0, HintKind.SMB, HintKind.SMB_EXPLOIT}, word


def test_any_words_are_safe() -> None:
    rng = np.random.default_rng(17)
    for command in (0x25, 0x32, 0xA0, 0xA1, 0x33):
        head = bytearray(smb.trans2(0x0E)[:36])
        head[8] = command
        for size in range(0, 80, 7):
            assert recognised(bytes(head) + rng.bytes(size))["hint"] in {HintKind.SMB, HintKind.SMB_EXPLOIT}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("doublepulsar_connect", {"session-setup", "implant"}),
        ("eternalblue_success", {"too-large", "session-setup"}),
        ("eternalblue_win7_msf_id2t", {"too-large", "session-setup", "broken-header"}),
        ("eternalchampion", {"rename"}),
        ("eternalblue_failed_patched", set()),
    ],
)
def test_on_captures(captures: Path, name: str, words: set[str]) -> None:
    heard = {s.value for _, s in signals(captures / "threats" / f"{name}.pcap") if s.kind == "smb.exploit"}
    assert heard >= words
    assert words or not heard
