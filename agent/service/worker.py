"""A worker: what is done to a burst before it is one of many - decode, recognise, hash, meter - with tables of its own.

Its own are the mirror's duplicates, fragments, and the flow cache. All frames between two addresses come to one worker
(tap/fanout.py), so nothing of one flow is anywhere else; and what is not of one flow (devices, contacts, findings) is
the judge's, who takes the rows of all workers in the order of their time.
"""

import numpy as np

from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.lifecycle import SERVERS_SIZE
from agent.jit import Hashes
from agent.packets import kernels_order
from agent.packets.counts import FrameCounts
from agent.packets.decoder import Decoder
from agent.service.batches import Batch
from agent.service.overload import Detail
from agent.tap.records import Burst


def no_servers() -> Hashes:
    """Nobody was seen to accept a connection; all workers learn into one table."""
    return np.zeros(SERVERS_SIZE, np.uint64)


class Worker:
    """Decodes and meters bursts of its share of the frames."""

    def __init__(self, limits: FlowLimits, secret: tuple[int, int], servers: Hashes) -> None:
        self.decoder = Decoder()
        self.cache = FlowCache(limits, secret, servers)
        self.frames = FrameCounts()
        self._last = 0

    def load(self, batch: Batch) -> None:
        """Bring into memory what only one of several workers needs."""
        self.prepare(batch, self.decoder.load().burst, Detail.FULL)
        self.meter(batch)

    def take(self, burst: Burst, batch: Batch, detail: Detail) -> int:
        """A burst of live legs, whose frames lie in the batch. Returns the time of its last frame."""
        self._last = kernels_order.order_frames(batch.frames, burst.count, self._last + 1, batch.order)
        self.prepare(batch, burst, detail)
        self.meter(batch)
        return self._last

    def prepare(self, batch: Batch, burst: Burst, detail: Detail) -> None:
        """Decode as closely as the load allows, and let the other workers know what they must."""
        rows, count = batch.rows, burst.count
        batch.fill(burst.octets, count)
        batch.hints = 0
        if detail is Detail.TOTALS:
            self.decoder.pass_over(burst, rows)
            return
        if detail is Detail.HEADERS:
            self.decoder.decode_headers(burst, rows)
        else:
            batch.hints = self.decoder.decode(burst, rows).hints
        self.cache.share(rows, count)
        self.cache.hash(rows, count)

    def meter(self, batch: Batch) -> None:
        """Count its rows into flows; those that were passed over belong to none."""
        self.frames.add(batch.rows[: batch.count])
        batch.fill(batch.octets, batch.count, self.cache.meter_into(batch.rows, batch.count, batch.events))
