"""Carries what is due from the outbox to the routes, in a thread of its own: ingest never waits for a receiver.

Nothing is lost: a notice leaves the outbox only after the receiver took it. So a crash in between sends it once more,
with the same key. A network call is never made inside a transaction.
"""

import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from agent.clock import NS_PER_S, Clock
from agent.collector.notify.grouping import plan
from agent.collector.notify.records import Route, Settings
from agent.collector.store.outbox import Outbox
from agent.errors import LinkError, StateError


class Courier:
    """The thread between outbox and routes."""

    PAUSE_S: ClassVar[float] = 0.5  # how often the outbox is looked at: far below group_wait

    def __init__(self, state: Path, routes: Sequence[Route], clock: Clock, settings: Settings | None = None) -> None:
        self._state, self._routes, self._clock = state, tuple(routes), clock
        self._settings = settings or Settings()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """End after the message under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def turn(self, box: Outbox) -> int:
        """Send what is due on every route; how many messages were taken. StateError when the outbox cannot be used."""
        return sum(self._route(box, route) for route in self._routes)

    def _run(self) -> None:
        box: Outbox | None = None
        while not self._stop.wait(self.PAUSE_S):
            try:
                box = box or Outbox.open(self._state)
                self.turn(box)
            except StateError:
                _close(box)  # locked or full: everything is still in the outbox, the next turn tries again
                box = None
        _close(box)

    def _route(self, box: Outbox, route: Route) -> int:
        settings, now_ns = self._settings, self._clock.wall_ns()
        state = box.route_state(route.name)
        if now_ns < state.next_try_ns <= now_ns + round(settings.retry_max_s * NS_PER_S):
            return 0
        due = box.due(route.name, _ago(now_ns, settings.group_wait_s), _ago(now_ns, settings.repeat_s))
        if not due:
            return 0
        told = box.sent_since(route.name, _ago(now_ns, settings.interval_s))
        sent = 0
        for message, notices in plan(due, told, settings.messages_max):
            if self._stop.is_set():
                break
            try:
                route.deliver(message)
            except LinkError as error:
                box.mark_failed(route.name, str(error), state.attempts + 1, now_ns + self._pause_ns(state.attempts))
                break
            box.mark_sent(route.name, notices, now_ns)
            sent += 1
        return sent

    def _pause_ns(self, attempts: int) -> int:
        """Doubling with a cap, and half of it by chance so that many collectors do not knock together."""
        longest = min(self._settings.retry_max_s, self._settings.retry_first_s * 2.0 ** min(attempts, 20))
        return round(longest * self._random.uniform(0.5, 1.0) * NS_PER_S)


def _ago(now_ns: int, seconds: float) -> int:
    return now_ns - round(seconds * NS_PER_S)


def _close(box: Outbox | None) -> None:
    if box is not None:
        box.close()
