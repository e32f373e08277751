"""Keeps a flood of forgeries from using up the verifications of everybody else: who sends bad ones gets few.

A signature costs 0.1 ms to check and nothing to forge. So each tap's topics have a bucket: a message that is refused
takes a token, an authentic one takes none, and without a token nothing is looked at.
"""

import threading
from collections import OrderedDict

from agent.clock import NS_PER_S, Clock

BAD_BURST = 20  # a tap with a wrong clock or an old key is told so, not silenced at once
BAD_PER_S = 10
SOURCES_MAX = 4096  # taps of a large site; the one that was quiet longest is forgotten first
LEVELS = 4  # wardtap/1/site/agent: leaves cannot be varied to get more


class Gate:
    """Asked by the subscriber before a message is queued, told by the intake what became of it. For several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()  # source -> tokens, when

    def admits(self, topic: str) -> bool:
        """Whether a message of this topic may cost a verification."""
        with self._lock:
            return self._tokens(_source(topic)) >= 1

    def refused(self, topic: str) -> None:
        """It was bad."""
        source = _source(topic)
        with self._lock:
            self._buckets[source] = (max(0.0, self._tokens(source) - 1), self._clock.mono_ns())
            self._buckets.move_to_end(source)
            while len(self._buckets) > SOURCES_MAX:
                self._buckets.popitem(last=False)

    def _tokens(self, source: str) -> float:
        tokens, at_ns = self._buckets.get(source, (float(BAD_BURST), 0))
        return min(BAD_BURST, tokens + (self._clock.mono_ns() - at_ns) / NS_PER_S * BAD_PER_S)


def _source(topic: str) -> str:
    return "/".join(topic.split("/", LEVELS)[:LEVELS])[:128]
