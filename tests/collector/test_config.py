import pytest

from agent.collector.config import NotifyConfig
from agent.collector.store.findings import Notices
from agent.errors import ConfigError, InputError


def test_nobody_is_told_unless_somebody_is_named() -> None:
    config = NotifyConfig()
    assert config.routes() == ()
    assert config.notices(()) == Notices((), frozenset({"page"}))


def test_both_routes_can_be_used_at_once() -> None:
    config = NotifyConfig(webhook="http://127.0.0.1:1/", smtp="127.0.0.1:25", recipients=("a@x.example",))
    assert config.notices(config.routes()).routes == ("webhook", "mail")


@pytest.mark.parametrize(
    "config",
    [
        NotifyConfig(recipients=("a@x.example",)),
        NotifyConfig(smtp="127.0.0.1:25"),
        NotifyConfig(webhook="gopher://x"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(config: NotifyConfig) -> None:
    with pytest.raises(InputError):
        config.routes()


def test_a_severity_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="alarm"):
        NotifyConfig(severities=("alarm",)).notices(())
