"""What `wardtap-collector run` is told, checked before anything starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.collector.notify.mail import Mail
from agent.collector.notify.records import Route
from agent.collector.notify.records import Settings as NotifySettings
from agent.collector.notify.webhook import Webhook
from agent.collector.store.findings import SEVERITY_RANK, Notices
from agent.collector.subscriber import BrokerSettings
from agent.errors import ConfigError

LISTEN = "127.0.0.1:8080"
KEY_NAME = "collector.key"


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """Whom to tell; no address means nobody."""

    webhook: str = ""
    smtp: str = ""  # host:port of the site's relay
    sender: str = ""
    recipients: tuple[str, ...] = ()
    starttls: bool = False
    severities: tuple[str, ...] = ("page",)
    timing: NotifySettings = field(default_factory=NotifySettings)

    def routes(self) -> tuple[Route, ...]:
        """The routes that are configured; InputError when an address is none."""
        found: list[Route] = []
        if self.webhook:
            found.append(Webhook(self.webhook, self.timing.timeout_s))
        if self.smtp:
            sender = self.sender or (self.recipients[0] if self.recipients else "")
            found.append(Mail(self.smtp, sender, self.recipients, self.timing.timeout_s, self.starttls))
        elif self.recipients:
            raise ConfigError("--notify-to needs --notify-smtp", todo="name the site's mail relay as host:port")
        return tuple(found)

    def notices(self, routes: Sequence[Route]) -> Notices:
        """What the store puts in the outbox."""
        unknown = [name for name in self.severities if name not in SEVERITY_RANK]
        if unknown:
            known = ", ".join(sorted(SEVERITY_RANK))
            raise ConfigError(f"{unknown[0]!r} is no severity", where="--notify-severity", todo=f"one of {known}")
        return Notices(tuple(route.name for route in routes), frozenset(self.severities))


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """Everything the collector needs to run."""

    state: Path
    broker: BrokerSettings
    trust: Path
    root: Path
    key: Path
    listen: str = LISTEN  # empty: no page
    notify: NotifyConfig = field(default_factory=NotifyConfig)
