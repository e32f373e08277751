"""tap-blind: a leg hears nothing: its interface is down, gone, or without a link. Said within ten seconds."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.findings.case import Case
from agent.findings.catalogue import CATALOGUE, UNKNOWN
from agent.findings.draft import Draft, Subject
from agent.findings.records import Finding, Severity
from agent.findings.words import NS_PER_S, bounded, sentence, time_text
from agent.tap.records import Fault, LegCounts

# A link that is trained anew takes up to five seconds; leg and judge look once a second each, so ten are never reached.
AFTER_NS: Final = 5 * NS_PER_S
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

    def judge(self, case: Case) -> Iterator[Draft]:
        """Once for each time that a leg falls silent; what silences it may change meanwhile."""
        now_ns = case.turn.now_ns
        for leg in case.turn.legs:
            state = self._legs.get(leg.name, _State())
            same = leg.fault is state.fault or (leg.fault.blind and state.fault.blind)
            state = state._replace(fault=leg.fault) if same else _State(leg.fault, now_ns)
            if leg.fault and not state.told and now_ns - state.since_ns >= AFTER_NS:
                state = state._replace(told=True)
                yield _draft(case, leg, state.since_ns)
            self._legs[leg.name] = state


def _draft(case: Case, leg: LegCounts, since_ns: int) -> Draft:
    now_ns, name = case.turn.now_ns, bounded(leg.name)
    if leg.fault.blind:
        seconds = max(1, (now_ns - since_ns) // NS_PER_S)
        text = f"leg {name} of the tap has heard nothing for {seconds} seconds, because {_BECAUSE[leg.fault]}"
    else:
        text = (
            f"leg {name} of the tap was renamed: it is still heard, but after a restart the tap would look for the old "
            "name and hear nothing"
        )
    finding = Finding(
        id="tap-blind",
        severity=Severity.HEALTH,
        mac=0,
        role=UNKNOWN,
        tier="none",
        time_ns=now_ns,
        first_ns=since_ns,
        last_ns=now_ns,
        count=1,
        sentence=sentence(text),
        evidence=(("leg", name), ("state", leg.fault.value), ("since", time_text(since_ns))),
        attack=case.contracts.attack.of("tap-blind"),
        # A cable that flaps is one cause within the hour; one that fails again later in the day is told again.
        cause=f"tap-blind|{name}|{leg.fault.value}|{time_text(since_ns - since_ns % HOUR_NS)}",
        expected=EXPECTED,
        next_step=CATALOGUE["tap-blind"].next_step,
    )
    return Draft(finding, Subject(0))
