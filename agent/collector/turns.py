"""Whether two boxes take turns at one identity: the births that a broker hands on, one for each link that was made.

An uplink draws its run when it starts and says it in every birth; the run before it is over then. So a run that is born
again after another one was born belongs to a second box at work. A broker throws one client out when another comes with
its name, both come again at once, and the births alternate every few seconds.
"""

from collections import deque
from dataclasses import dataclass, field

from agent.clock import NS_PER_S
from agent.wire.presence import Birth

RETURNS_MIN = 2  # one may be a birth that the broker held back while the tap was started again
WITHIN_S = 60  # of each other
RUNS_KEPT = 8  # of one tap


@dataclass(slots=True)
class _Tap:
    run: bytes = b""
    newest_ns: dict[bytes, int] = field(default_factory=dict)  # run -> monotonic time of its newest birth
    returns: deque[int] = field(default_factory=lambda: deque(maxlen=RETURNS_MIN))


class Turns:
    """What was born lately, by tap: in memory, since two that take turns go on doing so."""

    def __init__(self) -> None:
        self._taps: dict[tuple[str, str], _Tap] = {}

    def born(self, site: str, birth: Birth, received_ns: int) -> bool:
        """Whether this birth shows that two take turns. One that was heard before, or an older one, says nothing."""
        tap = self._taps.setdefault((site, birth.agent), _Tap())
        before_ns = tap.newest_ns.get(birth.run, -1)
        if birth.mono_ns <= before_ns:
            return False
        returned = before_ns >= 0 and birth.run != tap.run
        tap.run = birth.run
        tap.newest_ns.pop(birth.run, None)  # the newest stands last
        tap.newest_ns[birth.run] = birth.mono_ns
        if len(tap.newest_ns) > RUNS_KEPT:
            del tap.newest_ns[next(iter(tap.newest_ns))]
        if not returned:
            return False
        tap.returns.append(received_ns)
        return len(tap.returns) == RETURNS_MIN and received_ns - tap.returns[0] <= WITHIN_S * NS_PER_S
