"""Where a POCT1-A message begins: held against the reader, which looks for it in its own way, at every cut."""

from random import Random

import numpy as np
import pytest

from agent.packets import point_of_care
from agent.packets.hints import poct1a
from agent.packets.point_of_care import device_at
from agent.packets.records import Application, HintKind
from tests.packets.hints.samples import HELLO_OF_A_METER, RESULT_OF_A_METER, SOAP
from tests.packets.test_smb_shapes import recognised
from tests.simulators.bursts import HASHES, THIN

pytestmark = HASHES
ODD = [
    b"<HEL.R01 >", b"<HEL.R01\n>", b"<HEL.R01/", b"<HEL.R00>", b"<HeL.R01>", b"<HEL.R0", b"<?xml?><HEL.R01>",
    b"<?xml?>\r\n\r\n<HEL.R01>", b"<?xml?>\r\n\r\n\n<HEL.R01>", b"<?xml " + b" " * 124 + b"?><HEL.R01>",
    b"<?xml " + b" " * 121 + b"?><HEL.R01>", b"<?xml " + b" " * 120 + b"?><HEL.R01>", b"<?xm", b"<?xm?>", b"<DTV.R02>",
    SOAP % b"GetService/GetMdib",
]  # fmt: skip


def is_message(payload: bytes) -> bool:
    """What the kernel says of it, at the very end of the burst."""
    row = recognised(payload)
    return (row["application"], row["hint"]) == (Application.POCT1A, HintKind.POCT1A)


@pytest.mark.parametrize("payload", [HELLO_OF_A_METER, RESULT_OF_A_METER, *ODD])
def test_the_kernel_and_the_reader_agree_at_every_cut(payload: bytes) -> None:
    for size in range(4, min(len(payload), 160) + 1):
        cut = payload[:size]
        assert is_message(cut) or not poct1a.read(cut), cut
        assert poct1a.read(cut) or not is_message(cut), cut


def test_of_changed_octets_the_reader_says_nothing_that_the_kernel_did_not_see() -> None:
    rng = Random("point of care")
    for _ in range(400 // THIN):
        octets = bytearray(rng.choice((HELLO_OF_A_METER, RESULT_OF_A_METER))[:200])
        for _ in range(rng.randint(1, 3)):
            octets[rng.randrange(60)] = rng.choice(b"<>?. \r\nHELOBSR0129xml")
        assert is_message(bytes(octets)) or not poct1a.read(bytes(octets)), octets


def test_the_device_section() -> None:
    octets = np.frombuffer(HELLO_OF_A_METER, np.uint8)
    at = HELLO_OF_A_METER.index(b"<DEV>")
    assert device_at(octets, 0, len(octets)) == at
    assert device_at(octets, 0, at + 4) == at
    assert device_at(octets, 0, at + 3) == -1
    far = np.frombuffer(b"<" * (point_of_care.DEVICE_LOOK - 1) + b"<DEV", np.uint8)
    assert device_at(far, 0, len(far)) == point_of_care.DEVICE_LOOK - 1
    assert device_at(np.frombuffer(b"<" + far.tobytes(), np.uint8), 0, len(far) + 1) == -1
