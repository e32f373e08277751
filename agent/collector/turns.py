"""Whether two boxes take turns at one identity: the births that a broker hands on, one for each link that was made.

An uplink draws its run when it starts and says it in every birth; the run before it is over then. So a run that is born
again after another one was born belongs to a second box at work. A broker throws one client out when another comes with
its name, both come again at once, and the births alternate every few seconds.

A broker may hold a birth back and hand it on when the tap has been started again. So what counts is when a birth was
made: by its boot's own clock, which is set by the birth of that boot that came the fastest. In one boot this is exact.
"""

from collections import deque
from dataclasses import dataclass, field

from agent.clock import NS_PER_S
from agent.wire.presence import Birth

RETURNS_MIN = 2  # the clocks of two boots are compared by what came the fastest, and that may have come late
WITHIN_S = 60  # of each other
RUNS_KEPT = 8  # of one tap, and as many boots


@dataclass(slots=True)
class _Tap:
    run: bytes = b""
    made_ns: int = -1  # when the newest birth was made, on the collector's clock
    newest_ns: dict[bytes, int] = field(default_factory=dict)  # run -> monotonic time of its newest birth
    lags_ns: dict[bytes, int] = field(default_factory=dict)  # boot -> least time from its own clock to a receipt
    returns: deque[int] = field(default_factory=lambda: deque(maxlen=RETURNS_MIN))


class Turns:
    """What was born lately, by tap: in memory, since two that take turns go on doing so."""

    def __init__(self) -> None:
        self._taps: dict[tuple[str, str], _Tap] = {}

    def born(self, site: str, birth: Birth, received_ns: int) -> bool:
        """Whether this birth shows that two take turns. One that was heard before or made earlier says nothing."""
        tap = self._taps.setdefault((site, birth.agent), _Tap())
        lag_ns = received_ns - birth.mono_ns
        lag_ns = min(lag_ns, tap.lags_ns.get(birth.boot, lag_ns))
        made_ns = birth.mono_ns + lag_ns
        if tap.made_ns - made_ns > WITHIN_S * NS_PER_S:  # our own clock was set back: what was made when is not known
            tap = self._taps[site, birth.agent] = _Tap()
        _keep(tap.lags_ns, birth.boot, lag_ns)
        before_ns = tap.newest_ns.get(birth.run, -1)
        if birth.mono_ns <= before_ns or made_ns < tap.made_ns:
            return False
        returned = before_ns >= 0 and birth.run != tap.run
        tap.run, tap.made_ns = birth.run, made_ns
        _keep(tap.newest_ns, birth.run, birth.mono_ns)
        if not returned:
            return False
        tap.returns.append(received_ns)
        return len(tap.returns) == RETURNS_MIN and received_ns - tap.returns[0] <= WITHIN_S * NS_PER_S


def _keep(held: dict[bytes, int], key: bytes, value: int) -> None:
    """The newest stand last, the oldest make room."""
    held.pop(key, None)
    held[key] = value
    if len(held) > RUNS_KEPT:
        del held[next(iter(held))]
