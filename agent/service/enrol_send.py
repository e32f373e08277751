"""Sends the enrolment request to the broker, with nothing but what the kit brought: one message, then the link ends."""

from pathlib import Path

from agent.clock import NS_PER_S, Clock
from agent.errors import LinkError
from agent.service.enrol import REQUEST_NAME, TLS_FILES
from agent.signing.kit import Kit
from agent.uplink.records import LinkDown, LinkUp, Published, SessionSettings, TlsFiles, parse_broker
from agent.uplink.session import Session
from agent.wire import topics

TIMEOUT_S = 30.0
STEP_S = 0.2


def send(kit: Kit, state: Path, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
    """Until the broker has it; LinkError with the last reason otherwise. Who listens there, nobody can say."""
    own = state / "uplink"
    files = {field: own / "tls" / name for field, name in TLS_FILES.items() if getattr(kit, field)}
    settings = SessionSettings(
        broker=parse_broker(kit.broker),
        client_id=f"enrol-{kit.agent}",
        subscriptions=(topics.down(kit.site, kit.agent, "enrol"),),
        tls=TlsFiles(**files),
        window=1,
    )
    session = Session(settings, clock)
    try:
        _deliver(session, kit, (own / REQUEST_NAME).read_bytes(), clock.mono_ns() + round(timeout_s * NS_PER_S), clock)
    finally:
        session.close()


def _deliver(session: Session, kit: Kit, octets: bytes, end_ns: int, clock: Clock) -> None:
    why = "the broker does not answer"
    while clock.mono_ns() < end_ns:
        for event in session.step(STEP_S):
            match event:
                case LinkUp():
                    session.publish(topics.up(kit.site, kit.agent, "enrol"), octets)
                case LinkDown(reason):
                    why = reason
                case Published(_, refused):
                    if refused:
                        raise LinkError("the broker refuses it", where=kit.broker)
                    return
    raise LinkError(f"the request was not sent: {why}", where=kit.broker, todo="carry enrol.bin to the desk instead")
