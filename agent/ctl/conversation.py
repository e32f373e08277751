"""Give one command and wait for its end: birth, command, receipts."""

from collections.abc import Callable, Mapping
from typing import Any

from agent.clock import NS_PER_S, Clock
from agent.ctl.order import Order, Sealed
from agent.ctl.session import Broker, Session
from agent.errors import LinkError
from agent.wire.command import FINAL_STATES, Receipt

CONNECT_S = 10.0
SAVED_VALID_S = 12 * 3600  # the second person comes with the next shift
Demand = tuple[str, Mapping[str, Any]]
EXPIRED = frozenset({"expired", "too-late", "not-after"})


def converse(order: Order, broker: Broker, clock: Clock, wait_s: float, demand: Demand | Sealed) -> Receipt:
    """The last receipt; `demand` is the command's name and arguments, or one that was signed before.

    LinkError when no answer comes in time.
    """
    end_ns = clock.mono_ns() + round(wait_s * NS_PER_S)
    with Session(broker, order.filters(), CONNECT_S) as session:
        if isinstance(demand, Sealed):
            return _give(session, order, clock, end_ns, demand)
        _hear_birth(session, order, clock, end_ns)
        receipt = _give(session, order, clock, end_ns, order.seal(*demand))
        if receipt.state == "refused" and receipt.reason.split(":")[0] in EXPIRED:
            # its refusal told the agent's time
            receipt = _give(session, order, clock, end_ns, order.seal(*demand))
        return receipt


def first_birth(order: Order, broker: Broker, clock: Clock, wait_s: float, demand: Demand) -> Sealed:
    """Listen for the agent's boot, then sign; nothing is sent. LinkError when no birth comes in time."""
    end_ns = clock.mono_ns() + round(wait_s * NS_PER_S)
    with Session(broker, order.filters(), CONNECT_S) as session:
        _hear_birth(session, order, clock, end_ns)
    return order.seal(*demand, valid_s=SAVED_VALID_S)


def _hear_birth(session: Session, order: Order, clock: Clock, end_ns: int) -> None:
    _until(session, order, clock, end_ns, lambda: order.birth is not None)
    if order.birth is None:
        raise LinkError("no verified birth of this agent came in time", todo="is its uplink connected?")


def _give(session: Session, order: Order, clock: Clock, end_ns: int, sealed: Sealed) -> Receipt:
    session.publish(sealed.topic, sealed.payload)
    _until(session, order, clock, end_ns, lambda: order.last is not None and order.last.state in FINAL_STATES)
    if order.last is None or order.last.state not in FINAL_STATES:
        reached = f"only {order.last.state}, no end" if order.last else "no receipt"
        raise LinkError(
            f"{reached} came in time; the command may still be carried out",
            todo="its end stands in the collector's audit.log; --wait waits longer",
        )
    return order.last


def _until(session: Session, order: Order, clock: Clock, end_ns: int, done: Callable[[], bool]) -> None:
    while not done():
        left_s = (end_ns - clock.mono_ns()) / NS_PER_S
        heard = session.next(left_s) if left_s > 0 else None
        if heard is None:
            return
        order.hear(heard.topic, heard.payload, clock.wall_ns())
