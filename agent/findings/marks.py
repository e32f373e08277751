"""What makes an edge a detector's business, as tables: what each value of a column, or of both roles, allows.

A mark is a conjunction: its bit must be left by every table. So the kernel takes the tables' words together and asks
nothing twice; what needs more than a row and two roles is for the detector.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.catalogue import CLINICAL_ROLES, UNKNOWN, role_mask
from agent.findings.records import EdgeMark, Marks, Verdict
from agent.findings.thresholds import TOOLS, TOOLS_BY_CONTENT
from agent.packets.records import Application

Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint16]
_EVERY: Final = (1 << len(EdgeMark)) - 1
_TCP, _UDP, _DNS_PORT = 6, 17, 53
_OCTET: Final = np.arange(256)
_PORT: Final = np.arange(1 << 16)


def _words(asked: Mapping[EdgeMark, Mask]) -> Words:
    """For each value of a column the marks that it allows: those that do not ask for it, and those it suits."""
    words = np.full(next(iter(asked.values())).shape, _EVERY, np.uint16)
    for mark, suits in asked.items():
        words[~suits] &= np.uint16(_EVERY ^ 1 << mark)
    return words


def _by_gates() -> Words:
    def any_of(*gates: EdgeGate) -> Mask:
        there: Mask = (_OCTET & sum(gates)) != 0
        return there

    answered, sure = any_of(EdgeGate.ANSWERED), any_of(EdgeGate.INITIATOR_KNOWN)
    happened = any_of(EdgeGate.HANDSHAKE, EdgeGate.TWO_WAY_DATA)
    return _words({
        EdgeMark.ASKED: answered,
        EdgeMark.NAMED: answered,
        EdgeMark.MINES: answered,
        EdgeMark.STEERED: happened,
        EdgeMark.SPOKEN: happened,
        EdgeMark.PUBLIC: any_of(EdgeGate.EXCHANGED, EdgeGate.TWO_WAY_DATA),
        EdgeMark.ACCEPTED: any_of(EdgeGate.HANDSHAKE) & sure,
        EdgeMark.OUTSIDE: happened & sure,
        EdgeMark.NEWS: happened & sure,
        EdgeMark.HL7: any_of(EdgeGate.EXCHANGED),
        EdgeMark.WAITS: happened | any_of(EdgeGate.EXCHANGED),
    })  # fmt: skip


def _by_direction() -> Words:
    began, inward = _OCTET == EdgeDirection.ORIGINATES, _OCTET == EdgeDirection.RESPONDS
    return _words({
        **dict.fromkeys((EdgeMark.ASKED, EdgeMark.NAMED, EdgeMark.MINES, EdgeMark.HL7), began),
        **dict.fromkeys((EdgeMark.ACCEPTED, EdgeMark.ODD_ANSWER), inward),
        EdgeMark.ODD_TRY: ~inward,
    })  # fmt: skip


def _by_verdict() -> Words:
    """By verdict, and by scope."""
    verdict, scope = np.meshgrid(np.arange(len(Verdict)), np.arange(len(Scope)), indexing="ij")
    none, never, outside = (verdict == one for one in (Verdict.NONE, Verdict.NEVER, Verdict.OUTSIDE))
    public, unicast = scope == Scope.INTERNET, scope <= Scope.INTERNET
    tool = outside | (none & public)
    return _words({
        **dict.fromkeys((EdgeMark.NAMED, EdgeMark.LISTED, EdgeMark.HL7), unicast),
        **dict.fromkeys((EdgeMark.STEERED, EdgeMark.SPOKEN), tool),
        EdgeMark.PUBLIC: outside & public,
        EdgeMark.ACCEPTED: outside & (scope < Scope.INTERNET),
        EdgeMark.NEVER: never,
        EdgeMark.OUTSIDE: outside & ~public,
        EdgeMark.NEWS: (outside | none) & unicast,
        EdgeMark.ODD_ANSWER: (never | outside) & unicast,
        EdgeMark.WAITS: none,
    })  # fmt: skip


def marks_of(roles: Sequence[str]) -> Marks:
    """The tables; `roles` in the order of the role index."""
    clinical, unknown = role_mask(roles, CLINICAL_ROLES), role_mask(roles, frozenset({UNKNOWN}))
    clinical_peer = np.append(clinical, False)  # the last one: a peer without a role
    tools, speech = np.isin(_PORT, list(TOOLS)), np.isin(_OCTET, list(TOOLS_BY_CONTENT))
    tcp = _OCTET == _TCP
    return Marks(
        gates=_by_gates(),
        direction=_by_direction(),
        verdict=_by_verdict(),
        role=_words({
            EdgeMark.ASKED: ~clinical,
            **dict.fromkeys((EdgeMark.ACCEPTED, EdgeMark.OUTSIDE, EdgeMark.ODD_ANSWER), clinical),
            EdgeMark.ODD_TRY: unknown,
        }),
        peer=_words(dict.fromkeys((EdgeMark.ASKED, EdgeMark.ODD_TRY), clinical_peer)),
        protocol=_words({
            EdgeMark.NAMED: tcp | (_OCTET == _UDP), **dict.fromkeys((EdgeMark.ACCEPTED, EdgeMark.STEERED), tcp)
        }),
        port=_words({EdgeMark.NAMED: _PORT == _DNS_PORT, EdgeMark.STEERED: tools}),
        application=_words({
            EdgeMark.MINES: _OCTET == Application.STRATUM,
            EdgeMark.HL7: _OCTET == Application.HL7,
            EdgeMark.SPOKEN: speech,
        }),
    )  # fmt: skip
