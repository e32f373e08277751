"""tap-blind: a leg hears nothing: its interface is down, gone, or without a link. Said within ten seconds.

And, within two minutes, that no leg hears anything although their links are up: a mirror port that mirrors nothing.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, bounded, time_text
from agent.tap.records import Fault, LegCounts

# A link that is trained anew takes up to five seconds; leg and judge look once a second each, so ten are never reached.
AFTER_NS: Final = 5 * NS_PER_S
# A switch says something every two seconds (STP), a ward's devices ask by ARP every minute: this is no quiet night.
SILENT_NS: Final = 90 * NS_PER_S
HOUR_NS: Final = 3600 * NS_PER_S
EXPECTED: Final = "Every leg hears its side of the ward's link at all times."
_BECAUSE: Final = {
    Fault.DOWN: "its interface is down",
    Fault.GONE: "its interface is not there any more",
    Fault.NO_CARRIER: "its interface has no link, so no cable or a dead port is at its other end",
}


class _State(NamedTuple):
    """What is remembered of a leg."""

    fault: Fault = Fault.NONE
    since_ns: int = 0
    told: bool = False


class TapBlind:
    """Remembers since when each leg has its fault, and whether that was told."""

    def __init__(self) -> None:
        self._legs: dict[str, _State] = {}
        self._silence_told = False

    def judge(self, case: Case) -> Iterator[Draft]:
        """Once for each time that a leg falls silent; what silences it may change meanwhile."""
        now_ns = case.turn.now_ns
        for leg in case.turn.legs:
            state = self._legs.get(leg.name, _State())
            same = leg.fault is state.fault or (leg.fault.blind and state.fault.blind)
            state = state._replace(fault=leg.fault) if same else _State(leg.fault, now_ns)
            if leg.fault and not state.told and now_ns - state.since_ns >= AFTER_NS:
                state = state._replace(told=True)
                yield _fault(case, leg, state.since_ns)
            self._legs[leg.name] = state
        silent = case.turn.silent_ns >= SILENT_NS and any(not leg.fault.blind for leg in case.turn.legs)
        if silent and not self._silence_told:
            yield _silence(case)
        self._silence_told = silent


def _silence(case: Case) -> Draft:
    """No leg has a fault that explains it."""
    since_ns = case.turn.now_ns - case.turn.silent_ns
    seconds = case.turn.silent_ns // NS_PER_S
    text = f"no leg of the tap has heard a single frame for {seconds} seconds, although their links are up"
    return _draft(case, text, (("state", "silent"),), f"all|silent|{_hour(since_ns)}", since_ns)


def _hour(since_ns: int) -> str:
    """A cable that flaps is one cause within the hour; one that fails again later in the day is told again."""
    return time_text(since_ns - since_ns % HOUR_NS)


def _fault(case: Case, leg: LegCounts, since_ns: int) -> Draft:
    name = bounded(leg.name)
    if leg.fault.blind:
        seconds = max(1, (case.turn.now_ns - since_ns) // NS_PER_S)
        text = f"leg {name} of the tap has heard nothing for {seconds} seconds, because {_BECAUSE[leg.fault]}"
    else:
        text = (
            f"leg {name} of the tap was renamed: it is still heard, but after a restart the tap would look for the old "
            "name and hear nothing"
        )
    evidence = (("leg", name), ("state", leg.fault.value))
    return _draft(case, text, evidence, f"{name}|{leg.fault.value}|{_hour(since_ns)}", since_ns)


def _draft(case: Case, text: str, evidence: Evidence, cause: str, since_ns: int) -> Draft:
    told = Told(
        text=text,
        evidence=(*evidence, ("since", time_text(since_ns))),
        cause=f"tap-blind|{cause}",
        first_ns=since_ns,
        last_ns=case.turn.now_ns,
        expected=EXPECTED,
    )
    return Draft(case.without_device("tap-blind", Severity.HEALTH, told), Subject(0))
