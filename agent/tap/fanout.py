"""Which worker hears a frame: PACKET_FANOUT with a program of our own, so that both directions of a flow meet.

packet(7), linux/if_packet.h, linux/filter.h; Documentation/networking/filter.rst: what a classic BPF program may ask.
The number is a hash of the two IP addresses alone, made so that their order does not matter. So all that is said
between two addresses comes to one worker: both directions, on one leg or on two, every fragment, every ICMP error
between them. Not the kernel's own PACKET_FANOUT_HASH: it takes ports where it finds them, and so tears a fragmented
datagram from its flow, and what a card has hashed already is not symmetric.
What has no IP addresses where they are looked for (ARP, LLC, MPLS, PPPoE) is worker 0's; so is a frame too short for
them, because a program that reads beyond a frame answers 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent.tap.packet_socket import BpfProgram

# linux/bpf_common.h: what a step does. A and X are its two registers, M its sixteen words.
A_WORD, A_HALF, A_WORD_X, A_IS, X_IS, A_TO_M, A_FROM_M, X_FROM_M = 0x20, 0x28, 0x40, 0x00, 0x01, 0x02, 0x60, 0x61
XOR, XOR_X, TIMES, MODULO, RIGHT, GO, IF_EQUAL, ANSWER, ANSWER_A = 0xA4, 0xAC, 0x24, 0x94, 0x74, 0x05, 0x15, 0x06, 0x16
PROTOCOL = 0xFFFFF000  # SKF_AD_OFF + SKF_AD_PROTOCOL: the Ethernet type behind the tag that the kernel takes out
IPV4, IPV6, TAGS = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
TAG_OCTETS, TAGS_INSIDE = 4, 2  # behind that tag; as deep as the decoder goes
WORD = 4
IPV4_ADDRESSES, IPV6_ADDRESSES = (12, 2), (8, 8)  # where in the header, how many words
MIX, MIX_AGAIN = 0x9E3779B1, 0x85EBCA6B  # odd, from xxHash and MurmurHash3
EVERYTHING: BpfProgram = ((ANSWER, 0, 0, 0xFFFFFFFF),)


class _Step(NamedTuple):
    """A step, or a name for the place of the next one. Jumps go to names; no name: on to the next step."""

    code: int = -1
    constant: int = 0
    to: str = ""  # where a GO goes, or an IF_EQUAL when it is
    name: str = ""


def _assembled(steps: Sequence[_Step]) -> BpfProgram:
    """Names become distances."""
    places: dict[str, int] = {}
    real: list[_Step] = []
    for step in steps:
        if step.name:
            places[step.name] = len(real)
        else:
            real.append(step)
    program = []
    for place, step in enumerate(real):
        ahead = places[step.to] - place - 1 if step.to else 0
        program.append((step.code, 0, 0, ahead) if step.code == GO else (step.code, ahead, 0, step.constant))
    return program


def _find_ip(at: int) -> list[_Step]:
    """Leaves the Ethernet type in A and the place of the header behind it in X."""
    steps = [_Step(A_WORD, PROTOCOL), _Step(X_IS, at)]
    for tag in range(TAGS_INSIDE):
        steps += [_Step(IF_EQUAL, kind, f"tag {tag}") for kind in TAGS]
        steps += [_Step(GO, to="ip"), _Step(name=f"tag {tag}")]
        steps += [_Step(A_HALF, at + TAG_OCTETS * tag + 2), _Step(X_IS, at + TAG_OCTETS * (tag + 1))]
    return [*steps, _Step(name="ip")]


def _xor(first: int, words: int) -> list[_Step]:
    """All words of both addresses, one over the other: the same whichever address comes first."""
    steps = []
    for word in range(words):
        steps += [_Step(A_WORD_X, first + WORD * word), _Step(A_TO_M, word)]
    for word in range(words - 1):
        steps += [_Step(X_FROM_M, word), _Step(XOR_X)]
    return steps


def _number(at: int, key: int) -> list[_Step]:
    """Leaves the number of a frame in A; 0 for what is not IP."""
    fold = [_Step(A_TO_M), _Step(RIGHT, 16), _Step(X_FROM_M), _Step(XOR_X)]
    return [
        *_find_ip(at),
        _Step(IF_EQUAL, IPV4, "ipv4"),
        _Step(IF_EQUAL, IPV6, "ipv6"),
        _Step(A_IS, 0),
        _Step(GO, to="end"),
        _Step(name="ipv6"),
        *_xor(*IPV6_ADDRESSES),
        _Step(GO, to="mix"),
        _Step(name="ipv4"),
        *_xor(*IPV4_ADDRESSES),
        _Step(name="mix"),
        *(_Step(XOR, key), _Step(TIMES, MIX), *fold, _Step(TIMES, MIX_AGAIN), _Step(RIGHT, 16)),
        _Step(name="end"),
    ]


def number_program(key: int) -> BpfProgram:
    """For PACKET_FANOUT_CBPF, which asks it with the frame at its network header and takes the rest of a division."""
    return _assembled([*_number(0, key), _Step(ANSWER_A)])


def share_program(key: int, worker: int, workers: int, header: int, then: BpfProgram = EVERYTHING) -> BpfProgram:
    """The same share as a filter of a socket that is in no group; `then` decides about the worker's own frames.

    A filter is asked with the frame at its link header, which has `header` octets.
    """
    mine = [_Step(MODULO, workers), _Step(IF_EQUAL, worker, "mine"), _Step(ANSWER, 0), _Step(name="mine")]
    return [*_assembled([*_number(header, key), *mine]), *then]
