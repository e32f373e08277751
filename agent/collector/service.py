"""The running collector: store, broker, page and courier put together and taken apart in order."""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.clock import Clock
from agent.collector.acks import Voice
from agent.collector.config import CollectorConfig
from agent.collector.gate import Gate
from agent.collector.ingest import Ingest, TrustFile
from agent.collector.notes import Notes
from agent.collector.notify.courier import Courier
from agent.collector.store.writer import Store
from agent.collector.subscriber import Subscriber
from agent.errors import StateError
from agent.signing.keys import PrivateKey
from agent.wire.types import Role

LOCK_NAME = "collector.lock"


def serve(config: CollectorConfig, clock: Clock, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Run until `stop`; every error before the loop is a WardtapError in one line."""
    with ExitStack() as stack:
        stack.callback(_lock(config.state).close)
        trust = TrustFile(config.trust, config.root, clock)
        key = PrivateKey.load(config.key)
        _check_key(key, trust)
        routes = config.notify.routes()
        store = Store.open(config.state, config.notify.notices(routes))
        stack.callback(store.close)
        gate = Gate(clock)
        subscriber = Subscriber(config.broker, clock, gate)
        ingest = Ingest(subscriber, store, Voice(key), trust, clock, gate)
        notes = _notes(config, clock)
        stack.callback(notes.close)
        ingest.on_stored = notes.stored
        if config.listen:
            _start_page(config, clock, ingest, stack, say)
        if routes:
            courier = Courier(config.state, routes, clock, config.notify.timing)
            courier.start()
            stack.callback(courier.stop)
        subscriber.start()
        stack.callback(subscriber.stop)
        say(f"collecting from {config.broker.url}, storing in {config.state}")
        ingest.run(stop, say)


def _notes(config: CollectorConfig, clock: Clock) -> Notes:
    try:
        return Notes(config.state, clock)
    except OSError as error:
        raise StateError(f"the audit log cannot be used: {error.strerror}", where=str(config.state)) from error


def _start_page(
    config: CollectorConfig, clock: Clock, ingest: Ingest, stack: ExitStack, say: Callable[[str], None]
) -> None:
    try:
        from agent.collector.web.server import PageServer  # noqa: PLC0415 - the page is an extra; without it `--no-web`
    except ModuleNotFoundError as error:
        todo = "pip install 'wardtap[collector]', or --no-web"
        raise StateError(f"the page needs {error.name}", todo=todo) from error
    page = PageServer(config.listen, config.state, clock, lambda: ingest.trouble)
    page.start()
    stack.callback(page.stop)
    say(f"page at {page.url}")


def _check_key(key: PrivateKey, trust: TrustFile) -> None:
    entry = trust.table.find(key.key_id)
    if entry is None or entry.role != Role.COLLECTOR:
        todo = "agents would refuse every acknowledgement; sign a trust table with this key"
        raise StateError(f"the collector's key {key.public.fingerprint} is not in the trust table", todo=todo)


class _Lock:
    """One collector per state directory: two would acknowledge into each other's work."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateError(f"cannot be used: {error.strerror}", where=str(path)) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise StateError("another collector runs here", where=str(path)) from error

    def close(self) -> None:
        """Let the next one in."""
        os.close(self._handle)


def _lock(state: Path) -> _Lock:
    return _Lock(state / LOCK_NAME)
