"""Frames as a fuzzer's inputs, what twin and kernel disagree about, the smallest such frame, and it as a test case."""

from collections.abc import Callable, Iterator
from itertools import islice

from tests.fuzz.damage import captures
from tests.fuzz.journey import Files, heard
from tests.fuzz.oracle import told
from tests.naive.compare import differences
from tests.naive.frames import frames
from tests.simulators.bursts import MARGIN, Heard, as_dicts, burst_of, decode

LINKS = (1, 0, 12, 14, 101, 108, 113, 228, 229, 239, 276, 127, 147, 0xFFFF)
HEAD = 5  # octets before the frame: link type's index, wire length, tag taken out
FRAME_MOST = 512  # octets; deeper than sixteen layers reach
SEEDS_PER_CAPTURE = 12
TRIES_MOST = 20_000  # frames that a search for a smaller one may cost

Wrong = dict[str, tuple[int, int]]


def frame_of(case: bytes) -> Heard:
    """The frame that an input stands for: every input is one."""
    head, octets = case[:HEAD].ljust(HEAD, b"\0"), case[HEAD:]
    return Heard(octets, int.from_bytes(head[1:3]), LINKS[head[0] % len(LINKS)], int.from_bytes(head[3:5]))


def case_of(frame: Heard) -> bytes:
    """The input that stands for a frame; a link type that is none of LINKS becomes Ethernet."""
    link = LINKS.index(frame.link) if frame.link in LINKS else 0
    wirelen = min(frame.wirelen, 0xFFFF)
    return bytes([link]) + wirelen.to_bytes(2) + frame.vlan.to_bytes(2) + frame.octets[:FRAME_MOST]


def seeds() -> Iterator[bytes]:
    """A frame for every branch of the decoder, and some of each capture."""
    for _, octets, link in frames():
        yield case_of(Heard(octets, 0, link))
        yield case_of(Heard(octets, len(octets), link, 7))
    for path in captures().values():
        for burst in islice(Files([path]), 1):
            yield from map(case_of, islice(heard(burst), SEEDS_PER_CAPTURE))


def disagreement(frame: Heard) -> Wrong:
    """Field -> (twin, kernel); empty when they say the same."""
    (row,) = as_dicts(decode(burst_of([frame])))
    return differences(told(frame), row, MARGIN)


def smallest(frame: Heard, wrong: Callable[[Heard], object]) -> Heard:
    """A frame that is still wrong and from which nothing more can be taken away or zeroed. `wrong` says so by truth."""
    left = TRIES_MOST

    def still(smaller: Heard) -> bool:
        nonlocal left
        left -= 1
        return left > 0 and bool(wrong(smaller))

    for plain in (frame._replace(vlan=0), frame._replace(wirelen=0), frame._replace(vlan=0, wirelen=0)):
        frame = plain if still(plain) else frame
    size = len(frame.octets)
    while size:
        at = 0
        while at < len(frame.octets):
            smaller = frame._replace(octets=frame.octets[:at] + frame.octets[at + size :])
            if still(smaller):
                frame = smaller
            else:
                at += size
        size //= 2
    for at, octet in enumerate(frame.octets):
        zeroed = frame._replace(octets=frame.octets[:at] + b"\0" + frame.octets[at + 1 :])
        if octet and still(zeroed):
            frame = zeroed
    return frame


def as_test_case(frame: Heard, wrong: object) -> str:
    """Python to paste into test_fuzz_decoder.py."""
    return (
        "def test_found_by_the_fuzzer() -> None:\n"
        f"    # (twin, kernel): {wrong}\n"
        f'    compare([Heard(bytes.fromhex("{frame.octets.hex()}"), {frame.wirelen}, {frame.link}, {frame.vlan})])\n'
    )


def judge(case: bytes) -> None:
    """Nothing when twin and kernel agree; else AssertionError with the smallest such frame as a test case."""
    frame = frame_of(case)
    if disagreement(frame):
        frame = smallest(frame, disagreement)
        raise AssertionError(as_test_case(frame, disagreement(frame)))
