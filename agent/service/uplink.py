"""`wardtap uplink`: reads the spools, signs, sends, and takes commands. Sees no packet; one thread besides its spool's.

step of the link -> what happened -> what is due -> once a second progress, once a minute a report
"""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent import __version__
from agent.clock import NS_PER_S, Clock, boot_id
from agent.commands.desired import effective
from agent.commands.hold import Hold
from agent.commands.inbox import Place
from agent.commands.policy import Policy, load_policy
from agent.config import Config
from agent.errors import Refused, WardtapError
from agent.service import lifesign
from agent.service.condition import Condition
from agent.service.key_change import KeyChange
from agent.service.people_desk import PeopleDesk
from agent.service.timekeeping import FILE_NAME, KeptTime
from agent.service.trust_book import TrustBook
from agent.service.uplink_deeds import Reach, sensor_says
from agent.spool.records import Identity, SpoolLimits, SpoolRecord
from agent.spool.segment import list_segments
from agent.spool.writer import SpoolWriter
from agent.uplink.counts import LinkCounts, merged
from agent.uplink.courier import Courier
from agent.uplink.downlink import open_ack, open_epoch
from agent.uplink.presence import Presence, will
from agent.uplink.progress import Progress
from agent.uplink.records import (
    Arrived,
    BrokerAddress,
    Event,
    FlightKey,
    LinkDown,
    LinkUp,
    Published,
    SessionSettings,
    TlsFiles,
    parse_brokers,
)
from agent.uplink.sealer import Sealer
from agent.uplink.session import Session, tls_context
from agent.wire import topics
from agent.wire.delivery import Epoch
from agent.wire.presence import Birth, ClockAnchor, UplinkReport
from agent.wire.types import MessageType

STEP_S = 0.1  # how long a record may lie before it is seen
SAVE_EVERY_S = 1.0
REPORT_EVERY_S = 60.0  # also how soon a revoked key stops counting
DRAIN_S = 3.0
OWN_SPOOL = SpoolLimits(limit_bytes=16 << 20, segment_bytes=256 << 10)  # receipts and a report a minute: months
Say = Callable[[str], None]


class Uplink:
    """The running program; its constructor raises a WardtapError that says what is missing."""

    def __init__(self, config: Config, state: Path, broker: str | None, clock: Clock, say: Say) -> None:
        self._state, self._clock, self._say = state, clock, say
        present, (config, unfit) = config, effective(config, state)
        if unfit:
            say(f"the desired configuration is not used: {unfit}")
        self._config = config
        own = state / "uplink"
        self._agent, self._site = config.site.agent, config.site.site
        # everything a person may have to mend comes before the first thing that has to be closed again
        brokers, tls = parse_brokers(broker or config.uplink.broker), _tls_files(config)
        if brokers[0].tls:
            tls_context(tls)
        policy = load_policy(own / "policy.json")
        self._keys = KeyChange(own, self._site, self._agent)
        self._book = TrustBook(own, self._site, clock)
        self._boot, self._progress = boot_id(), Progress(own / "progress.json")
        identity = Identity(self._agent, self._site, "uplink", self._boot)
        self._spool = SpoolWriter.open(own / "spool", identity, clock, OWN_SPOOL, own / "progress.json")
        self._condition = Condition(state, self._boot, self._spool, clock, say)
        self._sealer = Sealer(self._agent, self._site, [self._keys.key])
        self._folders = {"uplink": own / "spool", "sensor": state / "sensor" / "spool"}
        self._courier = Courier(
            self._folders,
            self._sealer,
            self._progress,
            clock,
            window=config.uplink.window,
            resend_after_s=config.uplink.resend_after_s,
        )
        self._courier.on_not_signed = self._not_signed
        self._presence = Presence(self._birth(), self._keys.key, clock)
        self._session = Session(self._settings(brokers, tls), clock)
        self._link, self._tokens, self._down = LinkCounts(), dict[int, FlightKey](), ""
        self._epoch, self._epoch_mono_ns = Epoch(self._site, b"", 0), 0
        self._started_ns = self._save_ns = self._report_ns = clock.mono_ns()
        self._people = self._open_desk(present, policy)
        if self._people is not None:
            self._sealer.on_receipt = self._people.settled

    def _settings(self, brokers: tuple[BrokerAddress, ...], tls: TlsFiles) -> SessionSettings:
        if not brokers[0].tls:
            where = "on this machine" if all(each.loopback for each in brokers) else f"to {brokers[0].host}"
            self._say(f"warning: mqtt:// {where} is not encrypted: for a laboratory only, use mqtts:// on a ward")
        return SessionSettings(
            broker=brokers[0],
            spares=brokers[1:],
            client_id=self._agent,
            subscriptions=(topics.down_filter(self._site, self._agent), topics.epoch(self._site)),
            will=will(self._presence.birth),
            tls=tls,
            window=self._config.uplink.window,
        )

    def _open_desk(self, present: Config, policy: Policy) -> PeopleDesk | None:
        try:
            return PeopleDesk(self._reach(), present, Place(self._agent, self._site, self._boot), policy, self._spool)
        except OSError as error:
            self._say(f"no commands are taken: {error}")
            return None

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then drains."""
        while not stop.is_set() and not (self._people and self._people.deeds.restarting):
            self.turn(STEP_S)
        self._drain()

    def turn(self, timeout_s: float) -> None:
        """One round: the link, what it brought, what is due, what is to be kept."""
        for event in self._session.step(timeout_s):
            self._happened(event)
        if self._session.connected:
            self._presence.announce(self._condition.word(able=self._people is not None), self._keep_at_broker)
            self._send()
        self._keep()

    def close(self) -> None:
        """Let go of everything; idempotent."""
        self._session.close()
        self._progress.save()
        self._spool.close()
        if self._people is not None:
            self._people.close()

    def _drain(self) -> None:
        self._spool.flush(DRAIN_S)
        until_ns = self._clock.mono_ns() + int(DRAIN_S * NS_PER_S)  # a slow disk takes nothing from the goodbye
        while self._session.connected and self._clock.mono_ns() < until_ns:
            self._presence.announce("draining", self._keep_at_broker)
            self._send()
            for event in self._session.step(STEP_S / 4):
                self._happened(event)
            if not self._tokens and self._presence.state == "draining":
                return

    def _happened(self, event: Event) -> None:
        match event:
            case LinkUp():
                self._link.links, self._down = self._link.links + 1, ""
                self._say(f"connected to {self._session.broker.host} (MQTT {self._session.protocol})")
                self._presence.renew()
                self._tokens.clear()
                self._courier.link_up()
            case LinkDown(reason):
                self._link.link_failures += 1
                if reason != self._down:  # the same again and again is counted, and one line
                    self._say(f"no link to {self._session.broker.host}: {reason}")
                self._down = reason
                self._tokens.clear()
            case Published(token, refused):
                key = self._tokens.pop(token, None)
                if key is not None and not refused:
                    self._courier.at_broker(key)
            case Arrived():
                self._arrived(event)

    def _arrived(self, message: Arrived) -> None:
        leaf = "topic"
        try:
            topic = topics.parse(message.topic)
            leaf = topic.leaf
            if topic.direction == "site":
                self._take_epoch(message.payload)
            else:
                self._take(topic, message)
        except Refused as error:
            self._link.refuse(leaf, error.reason)

    def _take(self, topic: topics.ParsedTopic, message: Arrived) -> None:
        if topic.direction != "down" or (topic.agent, topic.site) != (self._agent, self._site):
            raise Refused("not our topic", reason="wrong-topic")
        if topic.leaf == "ack":
            self._courier.acknowledged(open_ack(message.payload, self._book.now, self._agent, self._site))
            self._link.acks += 1
        elif topic.leaf == "trust":
            if self._book.receive(message.payload):
                self._use_trust()
        elif self._people is not None:
            self._people.take(topic.leaf, message)
        else:
            raise Refused(f"{topic.leaf} is not taken", reason="not-supported")

    def _take_epoch(self, payload: bytes) -> None:
        epoch = open_epoch(payload, self._book.now, self._site)
        if epoch.wall_ns <= self._epoch.wall_ns:
            return  # the broker keeps and may replay old bells
        self._epoch, self._epoch_mono_ns = epoch, self._clock.mono_ns()
        if isinstance(self._clock, KeptTime):
            self._clock.tell(epoch.wall_ns, self._book.now.not_after_ns)
        self._courier.hurry()

    def _send(self) -> None:
        for out in self._courier.due(self._session.room):
            token = self._session.publish(self._topic(out.leaf), out.envelope)
            if token is None:
                self._courier.unsent(out.key)
            else:
                self._tokens[token] = out.key

    def _birth(self) -> Birth:
        limits = {"spool_bytes": self._config.spool.limit_bytes, "window": self._config.uplink.window}
        return Birth(
            agent=self._agent,
            site=self._site,
            boot=self._boot,
            run=self._spool.run,
            version=__version__,
            legs=self._config.tap.legs,
            contracts=sensor_says(self._state).get("contracts", "")[:64],
            limits=limits,
            key_id=self._keys.key.key_id,
            mono_ns=self._clock.mono_ns(),
        )

    def _keep_at_broker(self, topic: str, payload: bytes) -> bool:
        return self._session.publish(topic, payload, retain=True) is not None

    def _topic(self, leaf: str) -> str:
        return topics.up(self._site, self._agent, leaf)

    def _keep(self) -> None:
        now_ns = self._clock.mono_ns()
        if now_ns - self._save_ns >= SAVE_EVERY_S * NS_PER_S:
            self._save_ns = now_ns
            lifesign.give(lifesign.UPLINK_S)
            self._progress.save()
            if self._people is not None:
                self._people.tick()
        if now_ns - self._report_ns >= REPORT_EVERY_S * NS_PER_S:
            self._report_ns = now_ns
            self._reload_trust()
            self._report()
            self._anchor()

    def _report(self) -> None:
        report = UplinkReport(
            epoch=self._epoch.id,
            epoch_mono_ns=self._epoch_mono_ns,
            audit=self._people.audit.head if self._people else b"",
            spool_bytes=self._spool_bytes(),
            waiting=self._courier.waiting,
            counts=self._all_counts(),
        )
        self._spool.append(MessageType.UPLINK, report.to_content())

    def _anchor(self) -> None:
        """Both times at one moment, for whoever dates this boot afterwards; and what was told, for the next boot."""
        state, error_ns = self._clock.state()
        if state == "synced" or self._epoch.id:
            anchor = ClockAnchor(self._boot, self._clock.mono_ns(), self._clock.wall_ns(), error_ns, self._epoch.id)
            self._spool.append(MessageType.CLOCK_ANCHOR, anchor.to_content())
        if isinstance(self._clock, KeptTime) and self._clock.told_ns:
            try:
                self._clock.keep()
            except OSError:
                self._link.refuse("time", "state")

    def _spool_bytes(self) -> int:
        """Of both spools; and what it shows: runs that are gone need no progress any more."""
        total = 0
        for stream, folder in self._folders.items():
            try:
                segments, _ = list_segments(folder)
            except OSError:
                continue
            total += sum(segment.size_bytes for segment in segments)
            self._progress.forget_runs(stream, {segment.run for segment in segments})
        return total

    def _all_counts(self) -> dict[str, int]:
        groups = {
            "courier": self._courier.counts,
            "link": self._link,
            "read": self._courier.reader_counts(),
            "own-spool": self._spool.counts,
            "progress": {"write-errors": self._progress.write_errors},
            "trust": {"version": self._book.now.version},
        } | (self._people.counts() if self._people else {})
        return merged(groups)

    def _reload_trust(self) -> None:
        """A file that came meanwhile, and which keys are valid by now; one that cannot be used changes nothing."""
        try:
            self._book.reload()
        except WardtapError as error:
            self._say(f"the trust table stays as it was: {error}")
        self._use_trust()

    def _use_trust(self) -> None:
        if self._people is not None:
            self._people.trust(self._book.now)
        if self._keys.adopt(self._book.now):
            self._say(f"signs with its next key from now on: {self._keys.key.public.fingerprint}")
            self._sealer.use([self._keys.key])
            if self._people is not None:
                self._people.note("key", fingerprint=self._keys.key.public.fingerprint)
            self._presence.key, self._presence.birth = self._keys.key, self._birth()
            self._presence.renew()

    def _not_signed(self, record: SpoolRecord, reason: str) -> None:
        """A gap that we cause ourselves is ours to tell."""
        row = [record.seq, record.seq, record.lane.label, f"refused-{reason}"[:32]]
        try:
            self._spool.append(MessageType.GAP, {"stream": record.stream, "run": record.run, "ranges": [row]})
        except WardtapError as error:
            self._link.refuse("gap", getattr(error, "reason", "state"))

    def _reach(self) -> Reach:
        return Reach(
            config=self._config,
            state=self._state,
            clock=self._clock,
            courier=self._courier,
            presence=self._presence,
            hold=Hold(self._state / "uplink" / "hold.json"),
            keys=self._keys,
            trust=lambda: self._book.now,
            account=self._account,
        )

    def _account(self) -> dict[str, Any]:
        """The answer to `status`."""
        now_ns = self._clock.mono_ns()
        return {
            "agent": self._agent,
            "version": __version__,
            "boot": self._boot,
            "run": self._spool.run,
            "state": self._presence.state or "lost",
            "uptime_s": (now_ns - self._started_ns) // NS_PER_S,
            "mono_ns": now_ns,
            "spool_bytes": self._spool_bytes(),
            "waiting": self._courier.waiting,
            "audit_number": self._people.audit.number if self._people else 0,
            "audit_head": self._people.audit.head if self._people else b"",
            "epoch": self._epoch.id,
            "counts": self._all_counts(),
        }


def _tls_files(config: Config) -> TlsFiles:
    names = (config.uplink.ca, config.uplink.certificate, config.uplink.key)
    return TlsFiles(*(Path(name) if name else None for name in names))


def _say(text: str) -> None:
    print(f"wardtap uplink: {text}", file=sys.stderr, flush=True)


def run(
    config: Config, state: Path, broker: str | None = None, *, clock: Clock | None = None,
    stop: threading.Event | None = None, say: Say = _say,
) -> int:  # fmt: skip
    """Run until SIGTERM, SIGINT or `stop`; 0 after draining. WardtapError when it cannot start."""
    ended = stop or threading.Event()
    its_clock = clock or KeptTime(state / "uplink" / FILE_NAME)
    uplink = Uplink(config, state, broker, its_clock, say)
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(number, lambda *_: ended.set())
    try:
        uplink.run(ended)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        uplink.close()
    return 0
