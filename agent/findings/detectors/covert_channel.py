"""covert-channel: DNS, NTP and ICMP of a shape that they never have: the port is theirs, what is carried is not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, Mask, more_in_turn, severity_of
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft
from agent.findings.windows import Count, EdgeKey, EdgeWindows
from agent.findings.words import NS_PER_S, mac_text

WINDOW_NS: Final = 1800 * NS_PER_S
INTERVALS_MIN: Final = 2  # a burst of one minute may be anything
DATAGRAMS_MIN: Final = 50
QUESTION_OCTETS: Final = 160  # of a DNS question on average: a name of 20 to 60 octets makes one of 40 to 100
STREAM_OCTETS: Final = 256 << 10  # sent over TCP port 53 by who begins it: a zone is fetched, never sent so
TIME_DATAGRAMS_MIN: Final = 100  # in half an hour: a client that signs its requests (NTS) asks once a minute
TOLD_MAX: Final = 32  # of an interval that are told one by one: hundreds at once are no tunnel of somebody
TIME_OCTETS: Final = 100  # of an NTP message on average: 48, or 68 with a digest (RFC 5905 section 7.3)
_IPV4_HEADERS, _IPV6_HEADERS = 28, 48  # with UDP's
# Types that a host may begin with by itself: errors, echo, routers (RFC 792, 1256, 4443, 4861, 3810).
_ICMP: Final = frozenset({3, 4, 5, 8, 9, 10, 11, 12})
_ICMPV6: Final = frozenset({1, 2, 3, 4, 128, *range(130, 138), 143})
_ANSWERS: Final = {1: frozenset({0, 14, 16, 18}), 58: frozenset({129})}  # seen first when the question was before us
_MAPPED: Final = 0xFFFF


class _Sums(NamedTuple):
    """An edge over the window."""

    packets_out: int
    packets_in: int
    octets_out: int
    octets_in: int
    headers: int

    @property
    def mean_out(self) -> float:
        """Payload of what the originator sent, in octets a datagram."""
        return self.octets_out / self.packets_out - self.headers if self.packets_out else 0

    @property
    def mean_in(self) -> float:
        """Of what it got."""
        return self.octets_in / self.packets_in - self.headers if self.packets_in else 0


Totals = npt.NDArray[np.int64]  # a row for each edge
_SUMMED: Final = [Count._fields.index(name) for name in ("packets_out", "packets_in", "octets_out", "octets_in")]
Judge = Callable[[EdgeKey, _Sums], str]  # gives what is odd, or nothing


def _questions(_: EdgeKey, sums: _Sums) -> str:
    """Datagrams to port 53 that are too long for questions."""
    if sums.packets_out < DATAGRAMS_MIN or sums.mean_out < QUESTION_OCTETS:
        return ""
    return f"{sums.packets_out} datagrams of {sums.mean_out:.0f} octets on average, and DNS questions are far shorter"


def _stream(_: EdgeKey, sums: _Sums) -> str:
    if sums.octets_out < STREAM_OCTETS:
        return ""
    return f"{sums.octets_out >> 10} KiB within {WINDOW_NS // (60 * NS_PER_S)} minutes, and DNS questions are far fewer"


def _time(_: EdgeKey, sums: _Sums) -> str:
    most = max(sums.mean_out, sums.mean_in)
    if max(sums.packets_out, sums.packets_in) < TIME_DATAGRAMS_MIN or most < TIME_OCTETS:
        return ""
    count = sums.packets_out + sums.packets_in
    return f"{count} datagrams of up to {most:.0f} octets on average, and a clock is asked seldom and in 48 octets"


def _control(key: EdgeKey, sums: _Sums) -> str:
    """ICMP of a type that nobody begins with. Answers count only while nothing comes back."""
    protocol, kind = key.protocol, key.port >> 8
    if kind in (_ICMP if protocol == 1 else _ICMPV6) or sums.packets_out < DATAGRAMS_MIN:
        return ""
    if kind in _ANSWERS[protocol] and sums.packets_in:
        return ""
    return f"{sums.packets_out} messages of a type that no device sends by itself so often"


# (protocol, port or every one) -> who judges it, and how a sentence calls it.
_JUDGES: Final[Mapping[tuple[int, int | None], tuple[Judge, str]]] = {
    (17, 53): (_questions, "DNS"),
    (6, 53): (_stream, "DNS"),
    (17, 123): (_time, "NTP"),
    (1, None): (_control, "ICMP"),
    (58, None): (_control, "ICMPv6"),
}
EXPECTED: Final = "DNS, NTP and ICMP carry a few short messages and no data."


class CovertChannels:
    """Remembers these protocols' edges of the last half hour."""

    def __init__(self) -> None:
        self._windows = EdgeWindows(WINDOW_NS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; what a tunnel in names explains is part of it."""
        rows = case.turn.counted
        fits = np.zeros(rows.shape[0], np.bool_)
        for protocol, port in _JUDGES:
            fits |= (rows["protocol"] == protocol) & ((rows["port"] == port) if port is not None else True)
        fits &= (rows["direction"] == EdgeDirection.ORIGINATES) & (rows["scope"] <= Scope.INTERNET)
        fits &= rows["device"] < case.roles.shape[0]
        odd = list(_odd(case, self._windows.take(case, rows, fits, INTERVALS_MIN)))
        odd.sort(key=lambda one: -one.sums.packets_out)  # a stable sort: equals stay in the windows' fixed order
        for one in odd[:TOLD_MAX]:
            yield _draft(case, one)
        if len(odd) > TOLD_MAX:
            yield more_in_turn(case, "covert-channel", len(odd) - TOLD_MAX, "interval")


class _Odd(NamedTuple):
    """An edge that is not what its port says."""

    edge: np.void
    key: EdgeKey
    sums: _Sums
    name: str
    why: str


def _odd(case: Case, windows: Sequence[tuple[np.void, EdgeKey, list[Count]]]) -> Iterator[_Odd]:
    totals = _totals(windows)
    for index in np.flatnonzero(_may_be_odd(totals)).tolist():  # hardly any of the thousand
        edge, key, _ = windows[index]
        judge, name = _JUDGES.get((key.protocol, key.port)) or _JUDGES[key.protocol, None]
        is_ipv4 = key.peer_hi == 0 and key.peer_lo >> 32 == _MAPPED
        packets_out, packets_in, octets_out, octets_in = totals[index].tolist()
        headers = _IPV4_HEADERS if is_ipv4 else _IPV6_HEADERS
        sums = _Sums(packets_out, packets_in, octets_out, octets_in, headers)
        why = judge(key, sums)
        if why and not case.turn.devices.is_gateway(int(edge["device"])):
            yield _Odd(edge, key, sums, name, why)


def _draft(case: Case, odd: _Odd) -> Draft:
    text = f"sent what looks like {odd.name} to {case.peer_text(odd.edge)} and is not: {odd.why}"
    severity = severity_of(case.role(int(odd.edge["device"])))
    said = Said("covert-channel", severity, text, _evidence(odd.sums), EXPECTED)
    return edge_draft(case, odd.edge, said)._replace(part_of=(f"dns-tunnel|{mac_text(odd.key.mac)}",))


def _totals(windows: Sequence[tuple[np.void, EdgeKey, list[Count]]]) -> Totals:
    """Over the window of each edge: packets sent and received, octets sent and received."""
    if not windows:
        return np.zeros((0, len(_SUMMED)), np.int64)
    lengths = [len(counts) for _, _, counts in windows]
    every = chain.from_iterable(chain.from_iterable(counts for _, _, counts in windows))
    table = np.fromiter(every, np.int64, sum(lengths) * len(Count._fields)).reshape(-1, len(Count._fields))
    starts = np.concatenate([[0], np.cumsum(lengths[:-1], dtype=np.int64)])
    totals: Totals = np.add.reduceat(table[:, _SUMMED], starts)
    return totals


def _may_be_odd(totals: Totals) -> Mask:
    """What is below all of these is odd to no judge."""
    packets_out, packets_in, octets_out, _ = totals.T
    busy: Mask = (packets_out >= DATAGRAMS_MIN) | (packets_in >= TIME_DATAGRAMS_MIN) | (octets_out >= STREAM_OCTETS)
    return busy


def _evidence(sums: _Sums) -> tuple[tuple[str, int], ...]:
    return (
        ("sent", sums.packets_out),
        ("received", sums.packets_in),
        ("octets-a-datagram-sent", round(sums.mean_out)),
        ("octets-a-datagram-received", round(sums.mean_in)),
    )
