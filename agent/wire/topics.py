"""Topics of the broker: built and read in one place, so that an id can never add a level or a wildcard."""

from dataclasses import dataclass
from typing import Literal

from agent.errors import WireError
from agent.wire.schema import ID_PATTERN
from agent.wire.types import RULES, MessageType, rule_for

PREFIX = "wardtap/1"
TOPIC_BYTES_MAX = 128  # prefix, two ids of 32, direction and leaf: 90 at most
UP = frozenset({"birth", "state", "summary", "finding", "gap", "receipt", "uplink", "enrol"})
DOWN = frozenset({"ack", "config", "command", "enrol", "trust"})
RETAINED = frozenset({"birth", "state", "config", "epoch", "trust"})  # a retained command is refused
Direction = Literal["up", "down", "site"]


@dataclass(frozen=True, slots=True)
class ParsedTopic:
    """What a topic says. `agent` is empty for the site's epoch."""

    site: str
    agent: str
    direction: Direction
    leaf: str

    @property
    def types(self) -> frozenset[MessageType]:
        """The types this release knows that may arrive here."""
        return frozenset(kind for kind, rule in RULES.items() if rule.leaf == self.leaf)

    def carries(self, type_name: str) -> bool:
        """Whether a message of that type belongs on this topic (a later version belongs where the first does)."""
        return rule_for(type_name).leaf == self.leaf


def valid_id(text: str) -> bool:
    """Whether `text` can be a site or an agent: 1 to 32 of `a-z`, `0-9`, `-`."""
    return ID_PATTERN.fullmatch(text) is not None


def _checked(text: str, what: str) -> str:
    if not valid_id(text):
        raise WireError(f"{text[:40]!r} is not a {what} (1 to 32 of a-z, 0-9, -)", reason="wrong-topic")
    return text


def _place(site: str, agent: str) -> str:
    return f"{PREFIX}/{_checked(site, 'site')}/{_checked(agent, 'agent')}"


def _leaf(leaf: str, allowed: frozenset[str]) -> str:
    if leaf not in allowed:
        raise WireError(f"no topic leaf {leaf[:40]!r}", reason="wrong-topic")
    return leaf


def up(site: str, agent: str, leaf: str) -> str:
    """Topic an agent publishes on."""
    return f"{_place(site, agent)}/up/{_leaf(leaf, UP)}"


def down(site: str, agent: str, leaf: str) -> str:
    """Topic an agent reads."""
    return f"{_place(site, agent)}/down/{_leaf(leaf, DOWN)}"


def epoch(site: str) -> str:
    """The collector's bell."""
    return f"{PREFIX}/{_checked(site, 'site')}/epoch"


def down_filter(site: str, agent: str) -> str:
    """Subscription of one agent: all that is meant for it."""
    return f"{_place(site, agent)}/down/#"


def up_filter(site: str = "+") -> str:
    """Subscription of a collector: everything of one site, or of all."""
    return f"{PREFIX}/{site if site == '+' else _checked(site, 'site')}/+/up/#"


def parse(topic: str) -> ParsedTopic:
    """Take a received topic apart; WireError `wrong-topic` for whatever is not exactly one of ours."""
    levels = topic.split("/") if len(topic) <= TOPIC_BYTES_MAX else []
    if len(levels) < 4 or levels[:2] != PREFIX.split("/"):
        raise WireError(f"{topic[:TOPIC_BYTES_MAX]!r} is not our topic", reason="wrong-topic")
    site = _checked(levels[2], "site")
    if len(levels) == 4 and levels[3] == "epoch":
        return ParsedTopic(site, "", "site", "epoch")
    if len(levels) != 6:
        raise WireError(f"{topic!r} is not our topic", reason="wrong-topic")
    agent = _checked(levels[3], "agent")
    if levels[4] == "up":
        return ParsedTopic(site, agent, "up", _leaf(levels[5], UP))
    if levels[4] == "down":
        return ParsedTopic(site, agent, "down", _leaf(levels[5], DOWN))
    raise WireError(f"{topic!r} has no direction", reason="wrong-topic")


class Topic:
    """The same builders under one name."""

    up = staticmethod(up)
    down = staticmethod(down)
    epoch = staticmethod(epoch)
    parse = staticmethod(parse)
