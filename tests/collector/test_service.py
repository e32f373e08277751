import sys
import threading
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.config import CollectorConfig, NotifyConfig
from agent.collector.service import serve
from agent.collector.subscriber import BrokerSettings
from agent.ctl.lab import make_lab
from agent.errors import ConfigError, StateError, WardtapError


@pytest.fixture
def config(tmp_path: Path) -> CollectorConfig:
    state = make_lab(tmp_path / "lab", site="ward", agent="tap-1", broker="mqtt://x", clock=SystemClock()).collector
    return CollectorConfig(
        state=state,
        broker=BrokerSettings("mqtt://127.0.0.1:1", ("wardtap/1/+/+/up/#",)),
        trust=state / "trust.bin",
        root=state / "trust-root.json",
        key=state / "collector.key",
        listen="127.0.0.1:0",
    )


def changed(config: CollectorConfig, **changes: object) -> CollectorConfig:
    fields = {name: getattr(config, name) for name in config.__slots__}
    return CollectorConfig(**(fields | changes))


def run(config: CollectorConfig) -> list[str]:
    """Start it, let it try for a moment, end it; what it said."""
    stop, said = threading.Event(), list[str]()
    timer = threading.Timer(0.4, stop.set)
    timer.start()
    try:
        serve(config, SystemClock(), stop, said.append)
    finally:
        timer.cancel()
        timer.join()
    return said


def test_it_serves_and_ends_without_a_broker_and_leaves_no_thread(config: CollectorConfig) -> None:
    before = set(threading.enumerate())
    said = run(changed(config, notify=NotifyConfig(webhook="http://127.0.0.1:1/")))
    assert said[0].startswith("page at http://127.0.0.1:")
    assert "collecting from mqtt://127.0.0.1:1" in said[1]
    assert set(threading.enumerate()) <= before
    assert len(run(config)) == 2  # the lock was let go


@pytest.mark.parametrize("name", ["trust", "root", "key"])
def test_a_file_that_is_missing_is_named(config: CollectorConfig, name: str, tmp_path: Path) -> None:
    with pytest.raises(WardtapError, match="nothing"):
        run(changed(config, **{name: tmp_path / "nothing"}))


def test_what_cannot_work_ends_before_anything_listens(config: CollectorConfig) -> None:
    with pytest.raises(ConfigError):
        run(changed(config, notify=NotifyConfig(recipients=("a@x.example",))))
    assert not (config.state / "collector.sqlite3").exists()


def test_without_the_extra_the_page_says_what_to_do(config: CollectorConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "agent.collector.web.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(StateError, match="--no-web"):
        run(config)
    assert run(changed(config, listen=""))[0].startswith("collecting")
