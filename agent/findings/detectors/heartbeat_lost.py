"""heartbeat-lost: what a clinical device sent again and again has stopped, while the link is alive.

The cadence is learned from interval rows: an edge's events in an interval and the time of its last one give the mean
gap of that interval exactly. It counts as a cadence once it was regular for long enough; a heartbeat that a contract
names needs less. Silence is only counted while the tap hears: three periods, and half as long again as the longest
pause that the edge was seen to make.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, Evidence, Told
from agent.findings.catalogue import UNKNOWN
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Severity
from agent.findings.words import (
    NS_PER_S,
    address_text,
    mac_text,
    many,
    protocol_text,
    service_text,
    time_text,
)
from agent.packets.records import Application

WATCHED_MAX: Final = 2048  # edges; the one that was silent longest is forgotten first
ROWS_MAX: Final = 1024  # of an interval that are looked at; a ward of 100 devices has some 300
NO_HEARTBEAT: Final = (
    53,
    67,
    68,
    123,
    137,
    138,
    1900,
    3702,
    5353,
    5355,
)  # names, addresses, time
GAPS_MAX: Final = 8  # newest mean gaps of an edge
PERIODS: Final = 3
LONGEST_FACTOR: Final = 1.5  # of the longest pause after which it went on
REGULAR_FACTOR: Final = 2.0  # between its shortest and its longest mean gap
INTERVALS_MIN: Final = 10  # before any cadence counts
VITAL_INTERVALS_MIN: Final = 2  # for what carries vital signs, or is in the contract: it has a cadence by its nature
EVENTS_MIN: Final = 10  # of it, so that two intervals are more than two messages
PERIOD_MAX_NS: Final = 600 * NS_PER_S  # what comes less often is no heartbeat
TOLD_TOGETHER: Final = 3  # devices that lose the same peer in an hour: one cause
VITAL: Final = frozenset({
    Application.HL7, Application.IEEE11073, Application.INTELLIVUE, Application.CAPSULE,
})  # fmt: skip
PAGED_ROLES: Final = frozenset({"ventilator", "patient-monitor", "central-station"})
Key = tuple[int, int, int, int, int, int]  # slot, direction, protocol, port, peer
_KEY: Final = ("device", "direction", "protocol", "port", "peer_hi", "peer_lo")
_TOLD: Final = (
    "last_ns", "scope", "peer_device", "application", "flows", "packets_out", "packets_in", "answered", "failed",
)  # fmt: skip
_TCP: Final = 6
_UDP: Final = 17
_OUT: Final = int(EdgeDirection.ORIGINATES)


@dataclass(slots=True)
class _Beat:
    """One edge, and how it beats."""

    mac: int
    last_ns: int
    scope: int
    peer_device: int
    application: int
    gaps_ns: list[float] = field(default_factory=list)  # newest last
    events: int = 0
    sessions: int = 0  # of the gaps, those whose events were whole sessions
    flows: int = 0  # sessions that it has had at least
    ended: int = 0
    silent_ns: int = 0  # heard without it
    longest_ns: float = 0.0  # between the last events of two intervals, and pauses after which it went on
    begun_ns: int = 0  # when it was heard first, or again after a pause
    told: bool = False

    @property
    def period_ns(self) -> float:
        """The longest of the mean gaps."""
        return max(self.gaps_ns)

    def limit_ns(self, period_ns: float) -> float:
        """Silence from which on it is lost."""
        return max(PERIODS * period_ns, LONGEST_FACTOR * self.longest_ns)


class HeartbeatLost:
    """Knows the edges of clinical devices that were heard in this run, bounded."""

    def __init__(self) -> None:
        self._beats: dict[Key, _Beat] = {}
        self._odd: Mapping[int, int] = {}

    def judge(self, case: Case, odd: Mapping[int, int]) -> Iterator[Draft]:
        """At the end of an interval; `odd` is when a device (by MAC) was last contacted oddly."""
        if not case.turn.interval_closed:
            return
        self._odd = odd
        seen, every = self._hear(case)
        if not case.alive or not every:
            return
        begun_ns = self._begun(seen)
        lost: dict[int, tuple[Key, _Beat]] = {}
        for key, beat in self._beats.items():
            if key in seen:
                continue
            beat.silent_ns += min(case.turn.span_ns, max(0, case.turn.now_ns - beat.last_ns))
            if max(begun_ns.get(key[:4], 0), begun_ns.get(_turned(key, beat), 0)) >= beat.last_ns:
                continue  # it goes on: with a stand-in, which change-event tells, or told from its other end
            if not beat.told and self._is_lost(case, key, beat):
                beat.told = True
                before = lost.get(beat.mac)
                if before is None or beat.period_ns < before[1].period_ns:
                    lost[beat.mac] = (key, beat)
        for _, (key, beat) in sorted(lost.items()):
            yield self._draft(case, key, beat)

    def _begun(self, seen: set[Key]) -> dict[tuple[int, ...], int]:
        """For each (slot, direction, protocol, port) that a device began itself: when the newest of its edges began.

        Only then it chose the peer. Who is asked by somebody else instead has still lost the one that asked before. And
        for datagrams by (slot, direction, peer, application), whatever the port: see `_turned`.
        """
        begun: dict[tuple[int, ...], int] = {}
        for key in seen:
            beat = self._beats.get(key)
            if beat is None:
                continue
            if key[1] == _OUT:
                begun[key[:4]] = max(begun.get(key[:4], 0), beat.begun_ns)
            if key[2] == _UDP and beat.application:
                end = (key[0], key[1], *key[4:], beat.application)
                begun[end] = max(begun.get(end, 0), beat.begun_ns)
        return begun

    def _hear(self, case: Case) -> tuple[set[Key], bool]:
        """Take in the interval's rows of clinical devices: which were heard, and whether all of them were looked at."""
        rows, count = case.turn.counted, case.roles.shape[0]
        fits = (rows["device"] < count) & ~np.isin(rows["port"], NO_HEARTBEAT)
        fits &= case.contracts.clinical.take(case.roles.take(np.minimum(rows["device"], count - 1))) if count else False
        sent = rows["packets_out"] > 0  # the others tell no more than that a session has ended
        there = np.flatnonzero(fits & sent)
        chosen = np.concatenate([there, np.flatnonzero(fits & ~sent)])[:ROWS_MAX]
        places = zip(*(rows[name][chosen].tolist() for name in _KEY), strict=True)
        columns = (rows[name][chosen].tolist() for name in _TOLD)
        macs, seen = case.turn.devices.macs()[rows["device"][chosen]].tolist(), set[Key]()
        alive, span_ns, now_ns = case.alive, case.turn.span_ns, case.turn.now_ns
        for mac, place, last, scope, peer, application, flows, out, back, answered, failed in zip(
            macs, places, *columns, strict=True
        ):
            ended = answered + failed
            beat = self._beats.pop(place, None)
            if not out:  # nothing but the end of a session
                if beat is not None and beat.mac == mac:
                    self._beats[place], beat.ended = beat, ended
                continue
            seen.add(place)
            if beat is None or beat.mac != mac:
                beat = _Beat(mac, last, scope, peer, application, ended=ended, begun_ns=last)
            else:
                if last - beat.last_ns > 2 * span_ns:
                    beat.begun_ns = last
                _take(beat, last, flows, min(out, back) or out)
            self._beats[place] = beat  # the newest last
            beat.peer_device, beat.application = peer, application or beat.application
            # Who sends and begins no session has an open one, whatever ended before: a record that was cut for its age.
            beat.flows = beat.flows + flows if flows else max(beat.flows, beat.ended + 1)
            beat.ended = ended
            beat.silent_ns = max(0, min(span_ns, now_ns - last)) if alive else 0
        while len(self._beats) > WATCHED_MAX:
            del self._beats[next(iter(self._beats))]
        return seen, there.size <= ROWS_MAX

    def _is_lost(self, case: Case, key: Key, beat: _Beat) -> bool:
        """A cadence, silent for long enough, of a device that is still itself, in no window, and not closed."""
        slot, _, protocol, port = key[:4]
        if not beat.gaps_ns or case.turn.devices.mac(slot) != beat.mac:
            return False
        role = case.role(slot)
        contract = case.contracts.contract(role)
        expected = contract.heartbeat if contract else None
        named = expected is not None and (expected.protocol, expected.port) == (protocol, port)
        natural = named or beat.application in VITAL
        if len(beat.gaps_ns) < (VITAL_INTERVALS_MIN if natural else min(INTERVALS_MIN, GAPS_MAX)):
            return False
        if beat.events < EVENTS_MIN or beat.period_ns > min(PERIOD_MAX_NS, REGULAR_FACTOR * min(beat.gaps_ns)):
            return False
        period = max(beat.period_ns, expected.period_s * NS_PER_S) if named and expected else beat.period_ns
        if case.settings.in_change_window(role, case.turn.now_ns):
            beat.gaps_ns.clear()  # a planned change: what comes after it is learned anew
            return False
        if beat.silent_ns < beat.limit_ns(period):
            return False
        closed = protocol == _TCP and beat.flows <= beat.ended
        return role != UNKNOWN and (not closed or beat.sessions == len(beat.gaps_ns))

    def _draft(self, case: Case, key: Key, beat: _Beat) -> Draft:
        slot, direction, protocol, port, hi, lo = key
        role, service = case.role(slot), service_text(protocol, port)
        odd_ns = self._odd.get(beat.mac, 0)
        sessions = protocol == _TCP and beat.flows <= beat.ended
        page = odd_ns or (role in PAGED_ROLES and not sessions)
        seconds, period_s = round(beat.silent_ns / NS_PER_S), max(1, round(beat.period_ns / NS_PER_S))
        group = beat.scope >= Scope.MULTICAST
        what = "what it sends to all" if group else f"what it sends to {_peer(case, beat, hi, lo)}"
        heard_ns = int(case.turn.devices.lasts_ns()[slot])
        here = heard_ns > beat.last_ns + case.turn.span_ns
        told = Told(
            text=f"{case.label(slot)} has stopped {what} on {service}: about every {period_s} seconds before, nothing "
            f"for {seconds} seconds now, while the network is alive and the device itself is "
            + ("still heard" if here else "not heard either"),
            evidence=(
                ("service", service),
                ("direction", "originates" if direction == EdgeDirection.ORIGINATES else "responds"),
                ("period-s", period_s),
                ("silent-s", seconds),
                ("last", time_text(beat.last_ns)),
                ("device-last-heard", time_text(heard_ns)),
                ("session", "ended each time" if sessions else "not closed"),
                *_odd_evidence(odd_ns),
            ),
            cause=f"heartbeat-lost|{mac_text(beat.mac)}",
            first_ns=beat.last_ns,
            last_ns=case.turn.now_ns,
        )
        severity = Severity.PAGE if page else Severity.REVIEW
        finding = case.finding("heartbeat-lost", severity, slot, told)
        place = f"{address_text(hi, lo)}|{protocol_text(protocol)}|{port}"
        together = Group(f"heartbeat-lost|{place}", mac_text(beat.mac), TOLD_TOGETHER, f"{{n}} {many(role)}")
        return Draft(finding, Subject(beat.mac), (together,), part_of=(f"crash-after-contact|{mac_text(beat.mac)}",))


def _turned(key: Key, beat: _Beat) -> tuple[int, ...]:
    """The same talk with its ends exchanged: datagrams that are heard from their middle may be told so for a while."""
    return (key[0], 1 - key[1], *key[4:], beat.application) if key[2] == _UDP and beat.application else ()


def _take(beat: _Beat, last_ns: int, flows: int, exchanges: int) -> None:
    """An interval in which the edge was heard."""
    events = flows or exchanges
    span_ns = last_ns - beat.last_ns
    if span_ns > 0 and events > 0:
        beat.gaps_ns = [*beat.gaps_ns[1 - GAPS_MAX :], span_ns / events]
        beat.sessions = min(len(beat.gaps_ns), beat.sessions + 1) if flows else 0
        beat.longest_ns = max(beat.longest_ns, float(span_ns))
        beat.events += events
        beat.last_ns = last_ns
    beat.told = False


def _peer(case: Case, beat: _Beat, hi: int, lo: int) -> str:
    known = beat.peer_device < case.roles.shape[0]
    return f"the {case.label(beat.peer_device)}" if known else address_text(hi, lo)


def _odd_evidence(odd_ns: int) -> Evidence:
    return (("odd-contact", time_text(odd_ns)),) if odd_ns else ()
