"""Listens with several workers: threads read and meter, this thread takes what they found, in order, and judges."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from agent.clock import NS_PER_S, Clock
from agent.service.batches import Batches
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
    legs: SharedLegs, pipeline: Pipeline, clock: Clock, stop: threading.Event, each_second: Callable[[], None]
) -> None:
    """Until told to stop, and then until everything that the rings held is metered.

    `each_second` is called while all workers stand still, before the second is judged.
    """
    batches = Batches(len(pipeline.workers))
    crew = Crew(pipeline.workers, legs.readers, batches, clock, lambda: pipeline.detail)
    legs.hear()
    crew.start()
    finishing = False
    try:
        while not crew.ended:
            still = _take(crew, pipeline, batches)
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
        _take(crew, pipeline, batches)
        legs.look()
    finally:
        crew.close()


def _take(crew: Crew, pipeline: Pipeline, batches: Batches) -> bool:
    """What was handed over, as far as its turn has come. Whether all workers stand still and nothing is left."""
    given, still = crew.collect()
    for batch in given:
        batches.add(batch)
    while True:
        pipeline.take_batches(batches, crew.until())
        over = batches.done()
        if not over:
            return still
        crew.give_back(over)
