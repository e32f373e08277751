"""What a card does on its own, above all which offloads merge frames before the tap hears them.

Merged frames keep their payload and lose their number and headers, and a packet of 64 KiB was never on the wire.
Asked with ethtool's ioctl, never set: no capability is needed for it (linux/ethtool.h, linux/sockios.h).
"""

import ctypes
import fcntl
import socket
import struct
from typing import NamedTuple

from agent.errors import InputError

SIOCETHTOOL = 0x8946
GSTRINGS, GSSET_INFO, GFEATURES = 0x1B, 0x37, 0x3A  # ETHTOOL_*
GRINGPARAM, GPAUSEPARAM = 0x10, 0x12
SS_FEATURES = 4  # ETH_SS_FEATURES
STRING_BYTES, BLOCK_BITS = 32, 32  # ETH_GSTRING_LEN; bits in each word of a feature set
# Names of the kernel (net/ethtool/common.c, netdev_features_strings); `ethtool -K LEG NAME off` takes them.
# Cutting is for what is sent: a leg sends nothing, and one that is never asked to cut frames is one worry less.
CUTTING = ("tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-generic-segmentation")
MERGING = ("rx-gro", "rx-lro", "rx-gro-hw", "rx-gro-list", "rx-udp-gro-forwarding")
_IFREQ = struct.Struct("16sP16x")  # struct ifreq: name, pointer


class CardSettings(NamedTuple):
    """What a card says of its receive ring and of pause frames; None where its driver has no such thing."""

    ring: tuple[int, int] | None  # frames: now, at most
    pauses: bool | None  # whether it may send PAUSE frames, which no software can hold back


def merging_offloads(leg: str) -> tuple[str, ...]:
    """Those of MERGING that are on. InputError when there is no such interface, or it cannot be asked."""
    return offloads_on(leg, MERGING)


def offloads_on(leg: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some features that are on. InputError when there is no such interface, or it cannot be asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
        try:
            names = _names(asker, leg)
            active = _active(asker, leg, len(names))
        except OSError as error:
            raise InputError(f"cannot be asked for its offloads: {error.strerror}", where=leg) from error
    on = {name for number, name in enumerate(names) if active >> number & 1}
    return tuple(name for name in wanted if name in on)


def card_settings(leg: str) -> CardSettings:
    """Asked of the driver; what it does not support is None, and so is everything where there is no such interface."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
        ring = _words(asker, leg, GRINGPARAM, 8)  # rx_max_pending first, rx_pending fifth
        pause = _words(asker, leg, GPAUSEPARAM, 3)  # autoneg, rx_pause, tx_pause
    return CardSettings((ring[4], ring[0]) if ring else None, bool(pause[2]) if pause else None)


def _words(asker: socket.socket, leg: str, command: int, count: int) -> tuple[int, ...]:
    """The numbers of a plain answer; empty when the driver gives none."""
    try:
        answer = _ask(asker, leg, struct.pack("=I", command) + bytes(4 * count))
    except OSError:
        return ()
    return struct.unpack_from(f"={count}I", answer, 4)


def _ask(asker: socket.socket, leg: str, request: bytes) -> bytes:
    """The answer lies where the question lay."""
    held = ctypes.create_string_buffer(request, len(request))
    fcntl.ioctl(asker.fileno(), SIOCETHTOOL, _IFREQ.pack(leg.encode(), ctypes.addressof(held)))
    return held.raw


def _names(asker: socket.socket, leg: str) -> list[str]:
    """The features that this kernel knows, in the order of their bits."""
    question = struct.pack("=IIQI", GSSET_INFO, 0, 1 << SS_FEATURES, 0)
    count = struct.unpack_from("=I", _ask(asker, leg, question), 16)[0]
    answer = _ask(asker, leg, struct.pack("=III", GSTRINGS, SS_FEATURES, count) + bytes(count * STRING_BYTES))
    texts = (answer[12 + n * STRING_BYTES : 12 + (n + 1) * STRING_BYTES] for n in range(count))
    return [text.split(b"\0")[0].decode(errors="replace") for text in texts]


def _active(asker: socket.socket, leg: str, count: int) -> int:
    """The features that are on, as one number of `count` bits. Of each word: available, requested, active, fixed."""
    words = -(-count // BLOCK_BITS)
    answer = _ask(asker, leg, struct.pack("=II", GFEATURES, words) + bytes(words * 16))
    active = (struct.unpack_from("=I", answer, 8 + word * 16 + 8)[0] for word in range(words))
    return sum(bits << word * BLOCK_BITS for word, bits in enumerate(active))
