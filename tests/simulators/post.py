"""A post office that cannot be trusted, in simulated time: it loses, repeats, holds back, reorders and forgets.

`Line` is what the uplink takes for its MQTT session, `Box` what the collector takes for its subscription.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from agent.clock import NS_PER_S, CaptureClock
from agent.collector.acks import Outgoing
from agent.collector.records import Arrival
from agent.uplink.records import Arrived, BrokerAddress, Event, LinkDown, LinkUp, Published, SessionSettings
from tests.simulators.power import Died

KEEPALIVE_NOTICED_NS = 45 * NS_PER_S  # a dead peer is noticed after one and a half times the keepalive
KEPT_MAX = 60  # messages a hostile broker remembers to play again


@dataclass
class Weather:
    """How likely it is, per message, that something goes wrong."""

    lose: float = 0.0  # taken with PUBACK and never delivered
    double: float = 0.0
    hold: float = 0.0  # for up to 100 s
    replay: float = 0.0  # an old message once more
    latency_s: float = 0.3


class Post:
    """The broker: routes by role, since topics and ACL are tested on real brokers."""

    def __init__(self, chance: Random, clock: CaptureClock) -> None:
        self.chance, self.clock, self.weather = chance, clock, Weather()
        self.up = True
        self.retained: dict[str, bytes] = {}
        self.line: Line | None = None
        self.box: Box | None = None
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._old: list[tuple[str, bytes]] = []

    def later(self, do: Callable[[], None], *, after_s: float | None = None) -> None:
        """Something happens after a while, each on its own: order on the wire is free."""
        wait_s = self.chance.uniform(0, self.weather.latency_s) if after_s is None else after_s
        heapq.heappush(self._queue, (self.clock.now_ns + int(wait_s * NS_PER_S), next(self._number), do))

    def move(self) -> None:
        """Everything whose time has come."""
        while self._queue and self._queue[0][0] <= self.clock.now_ns:
            heapq.heappop(self._queue)[2]()

    def route(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """A message is here; what becomes of it is the weather's."""
        if retain:
            self.retained[topic] = payload
        self._old = [*self._old[-KEPT_MAX:], (topic, payload)]
        weather, chance = self.weather, self.chance
        if chance.random() < weather.lose:
            return
        for _ in range(1 + (chance.random() < weather.double)):
            held = chance.random() < weather.hold
            self._pass_on(topic, payload, after_s=chance.uniform(0, 100) if held else None)
        if chance.random() < weather.replay:
            self._pass_on(*chance.choice(self._old), after_s=None)

    def _pass_on(self, topic: str, payload: bytes, *, after_s: float | None) -> None:
        def deliver() -> None:
            if "/up/" in topic:
                if self.box is not None and self.up:
                    self.box.receive(topic, payload)
            elif self.line is not None and self.up:
                self.line.receive(topic, payload, retained=False)

        self.later(deliver, after_s=after_s)

    def restart(self, *, forget: bool) -> None:
        """Killed and started again; with `forget` without what it held for others."""
        if forget:
            self._queue, self.retained = [], {}
        if self.line is not None:
            self.line.broken("the broker went away")
        if self.box is not None:
            self.box.drop(self.chance.uniform(0, 5))


@dataclass
class Line:
    """One uplink's link. `die_in` ends its process at the n-th message that it hands over."""

    settings: SessionSettings
    clock: CaptureClock
    post: Post
    connected: bool = False
    protocol: str = "5"
    last_problem: str = ""
    die_in: int = 0
    dark_until_ns: int = 0  # nothing passes and nobody notices
    handed: list[tuple[str, bytes]] = field(default_factory=list)  # in this step, in order
    _next_try_ns: int = 0
    _waiting: set[int] = field(default_factory=set)
    _events: list[Event] = field(default_factory=list)
    _tokens: int = 0
    _dark_since_ns: int = 0

    @property
    def room(self) -> int:
        """How many more messages the pipe takes now."""
        return self.settings.window - len(self._waiting) if self.connected else 0

    @property
    def broker(self) -> BrokerAddress:
        """The only one there is."""
        return self.settings.broker

    @property
    def _dark(self) -> bool:
        return self.clock.now_ns < self.dark_until_ns

    def darken(self, seconds: float) -> None:
        """A partition: both ends believe in the link for a while."""
        self._dark_since_ns, self.dark_until_ns = self.clock.now_ns, self.clock.now_ns + int(seconds * NS_PER_S)

    def step(self, _timeout_s: float) -> list[Event]:
        """What happened since the last step."""
        self.handed = []
        if self.connected and self._dark and self.clock.now_ns - self._dark_since_ns > KEEPALIVE_NOTICED_NS:
            self.broken("keepalive")
        if not self.connected and self.post.up and not self._dark and self.clock.now_ns >= self._next_try_ns:
            self.connected = True
            self._events.append(LinkUp())
            for topic, payload in self.post.retained.items():
                if "/up/" not in topic:
                    self._events.append(Arrived(topic, payload, retained=True))
        events, self._events = self._events, []
        return events

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """QoS 1: the broker has it some time later, or the link breaks first."""
        if self.room <= 0:
            return None
        if self.die_in:
            self.die_in -= 1
            if not self.die_in:
                raise Died
        self._tokens += 1
        token, link = self._tokens, self._next_try_ns
        self._waiting.add(token)
        self.handed.append((topic, payload))

        def arrive() -> None:
            if not self.connected or self._next_try_ns != link:
                return
            if self._dark:
                self._after_dark(arrive)
                return
            self.post.route(topic, payload, retain=retain)
            self.post.later(lambda: self._taken(token, link))

        self.post.later(arrive)
        return token

    def _after_dark(self, do: Callable[[], None]) -> None:
        """TCP sends again what a partition swallowed, if the link outlives it."""
        self.post.later(do, after_s=(self.dark_until_ns - self.clock.now_ns) / NS_PER_S + 0.1)

    def _taken(self, token: int, link: int) -> None:
        if not self.connected or self._next_try_ns != link:
            return
        if self._dark:
            self._after_dark(lambda: self._taken(token, link))
        else:
            self._waiting.discard(token)
            self._events.append(Published(token, refused=False))

    def receive(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """From the broker."""
        if self.connected and self._dark:
            self._after_dark(lambda: self.receive(topic, payload, retained=retained))
        elif self.connected:
            self._events.append(Arrived(topic, payload, retained))

    def broken(self, reason: str) -> None:
        """The link is gone, with what was under way."""
        if self.connected:
            self.connected = False
            self._waiting.clear()
            self._next_try_ns = self.clock.now_ns + int(self.post.chance.uniform(0.5, 8) * NS_PER_S)
            self._events = [event for event in self._events if not isinstance(event, LinkUp)]
            self._events.append(LinkDown(reason))

    def close(self) -> None:
        """Goodbye."""
        self.connected = False


@dataclass
class Box:
    """The collector's end: what came waits here, and is gone when its process is."""

    post: Post
    counts: Counter[str] = field(default_factory=Counter)
    waiting: list[Arrival] = field(default_factory=list)
    away_until_ns: int = 0
    on_ack: Callable[[Outgoing], None] = lambda _outgoing: None

    @property
    def connected(self) -> bool:
        """Whether the broker delivers to us."""
        return self.post.up and self.post.clock.now_ns >= self.away_until_ns

    def take(self, most: int, _wait_s: float) -> list[Arrival]:
        """What came."""
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    def publish(self, outgoing: Sequence[Outgoing]) -> int:
        """What goes out, or is lost with the link."""
        if not self.connected:
            return 0
        for each in outgoing:
            self.on_ack(each)
            self.post.later(lambda each=each: self.post.route(each.topic, each.payload, retain=each.retain))  # type: ignore[misc]
        return len(outgoing)

    def receive(self, topic: str, payload: bytes) -> None:
        """From the broker."""
        if self.connected:
            self.waiting.append(Arrival(topic, payload, self.post.clock.wall_ns()))

    def drop(self, seconds: float) -> None:
        """The link or the process is gone for a while."""
        self.waiting = []
        self.away_until_ns = self.post.clock.now_ns + int(seconds * NS_PER_S)
