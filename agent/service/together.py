"""Listens with several workers: threads read and meter, and once a second, while they stand still, this one judges."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from agent.clock import NS_PER_S, Clock
from agent.packets.records import Rows
from agent.service.crew import Crew, Reader
from agent.service.pipeline import Pipeline
from agent.tap.source import Legs


@runtime_checkable
class SharedLegs(Legs, Protocol):
    """Live legs that are shared out to several readers."""

    @property
    def readers(self) -> Sequence[Reader]:
        """One for each worker."""

    def hear(self) -> None:
        """From here on frames come in."""

    def look(self) -> None:
        """See to the interfaces, while no worker reads or holds a burst."""


def listen_together(
    legs: SharedLegs, pipeline: Pipeline, clock: Clock, stop: threading.Event, each_second: Callable[[], None],
    hear: Callable[[Rows, int], None] | None = None,
) -> None:  # fmt: skip
    """Until told to stop, and then until everything that the rings held is metered.

    `each_second` is called while all workers stand still, before the second is judged; `hear` with each batch's rows,
    by one thread at a time and never during `each_second`.
    """
    crew = Crew(pipeline.workers, legs.readers, clock, lambda: pipeline.detail, pipeline.take_batches)
    crew.hear = hear
    legs.hear()
    crew.start()
    finishing = False
    try:
        while not crew.ended:
            still = crew.stand_still()
            if stop.is_set() and not finishing:
                finishing = True
                legs.deafen()
                crew.finish()
            elif still and not finishing:
                second = clock.wall_ns() // NS_PER_S
                legs.look()
                each_second()
                pipeline.advance(second)
                crew.go_on(second)
        crew.stand_still()
        legs.look()
    finally:
        crew.close()
