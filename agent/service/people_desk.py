"""What people want of a tap: commands, desired configuration, and the audit log of both."""

from pathlib import Path
from typing import Any

from agent.clock import NS_PER_S
from agent.commands import requests
from agent.commands.audit import AuditLog
from agent.commands.desired import Shelf, effective
from agent.commands.executed import ExecutedIds
from agent.commands.inbox import Desk, Inbox, Place
from agent.commands.policy import Policy
from agent.commands.settings import Settings
from agent.config import Config
from agent.errors import Refused, StateError
from agent.service.update_order import UpdateOrder
from agent.service.uplink_deeds import Reach, UplinkDeeds
from agent.signing.roster import Trust
from agent.spool.writer import SpoolWriter
from agent.uplink.records import Arrived
from agent.wire.command import Receipt

SENSOR_SOON_NS = 900 * NS_PER_S  # in which the sensor starts again with a new configuration


class PeopleDesk:
    """Opened once per run. Without an audit log or a memory of what was executed nothing is taken; delivery goes on."""

    def __init__(self, reach: Reach, present: Config, place: Place, policy: Policy, spool: SpoolWriter) -> None:
        """`present` is the appliance's own configuration, `reach.config` what runs. OSError of the disk."""
        self._reach, self._place, own = reach, place, reach.state / "uplink"
        self._table, self._up = reach.trust().version, False
        self.updates = UpdateOrder(reach.state, place.boot, reach.clock)
        self.deeds = UplinkDeeds(reach, self.updates, released=self._released)
        self.audit = AuditLog(own / "audit.log", reach.clock)
        executed = ExecutedIds(own / "executed", place.boot, reach.clock)
        desk = Desk(reach.trust(), policy, executed, self.audit, spool, self.deeds, held=lambda: reach.hold.why)
        self._inbox = Inbox(place, desk, reach.clock)
        self.shelf = Shelf(own)
        self._settings = Settings(
            place=place,
            key_id=lambda: reach.keys.key.key_id,
            present=present,
            shelf=self.shelf,
            policy=policy,
            audit=self.audit,
            receipts=spool,
            changed=self._changed,
        )
        self._settings.report(reach.config, effective(present, reach.state)[1])

    def take(self, leaf: str, message: Arrived) -> None:
        """A message for us; Refused `not-supported` for a leaf that nobody here reads."""
        if leaf == "command":
            self._inbox.receive(message.payload, retained=message.retained)
        elif leaf == "config":
            self._settings.receive(message.payload, self._reach.trust())
        else:
            raise Refused(f"{leaf} is not taken", reason="not-supported")

    def settled(self, receipt: Receipt) -> None:
        """The sensor's word on what it was asked."""
        self._inbox.settled(receipt)

    def trust(self, trust: Trust) -> None:
        """From now on these keys count, and no others."""
        if trust.version != self._table:
            self._table = trust.version
            self.note("trust-table", version=trust.version, keys=len(trust))
        self._inbox.trust(trust)

    def note(self, event: str, **fields: str | int) -> None:
        """Write down what happened to this tap's keys; a disk that refuses is counted and changes nothing."""
        try:
            self.audit.append(event, **fields)
        except OSError:
            self._settings.counts["not-audited"] = self._settings.counts.get("not-audited", 0) + 1

    def tick(self) -> None:
        """Once a second."""
        self._inbox.tick()
        self._come_up()
        over = self.updates.answer()
        if over is not None and self._inbox.ended(over):
            self.updates.told()

    def _come_up(self) -> None:
        """Once, when the broker has taken what we say of ourselves: an updater waits for it."""
        if self._up or not self._reach.presence.state:
            return
        try:
            self.updates.came_up()
        except OSError:
            self._settings.counts["not-up"] = self._settings.counts.get("not-up", 0) + 1
        self._up = True

    def close(self) -> None:
        """Let go of the log."""
        self.audit.close()

    def counts(self) -> dict[str, Any]:
        """For the report: of commands and of configurations, and the version that was taken last."""
        return {"command": self._inbox.counts, "config": self._settings.counts | {"version": self._version()}}

    def _version(self) -> int:
        try:
            return self.shelf.floor().number
        except StateError:
            return 0

    def _changed(self, identity: bytes) -> None:
        """Both programs start again with it, unless a clinical hold keeps them; then when it is released."""
        if self._reach.hold.why:
            return
        until_ns = self._reach.clock.mono_ns() + SENSOR_SOON_NS
        again = requests.Request(identity, "restart", {"what": "sensor"}, self._place.boot, until_ns)
        try:
            requests.submit(self._folder, again)
        except (Refused, OSError):
            self._settings.counts["sensor-not-asked"] = self._settings.counts.get("sensor-not-asked", 0) + 1
        self.deeds.restart()

    def _released(self) -> None:
        """A configuration that came during the hold is brought into force now."""
        held = self.shelf.untold()
        if held is not None:
            self._changed(held.id)

    @property
    def _folder(self) -> Path:
        return self._reach.state / "requests"
