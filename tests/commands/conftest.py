"""A desk: everything an inbox needs, made of memory and one folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock, boot_id
from agent.commands.audit import AuditLog
from agent.commands.executed import ExecutedIds
from agent.commands.inbox import Desk, Inbox, Place
from agent.commands.policy import Policy
from agent.wire import body
from agent.wire.command import Command, Receipt
from agent.wire.types import MessageType
from tests.simulators.kit import AGENT, SITE, Kit


class Receipts:
    """A spool of memory: what was appended must be what the wire allows."""

    def __init__(self) -> None:
        self.all: list[Receipt] = []
        self.durable = 0

    def append(self, kind: MessageType, content: dict[str, Any]) -> int:
        assert kind == MessageType.RECEIPT
        body.SCHEMAS[kind].check(content, "receipt")
        self.all.append(Receipt.from_content(content))
        return len(self.all)

    def flush(self, timeout_s: float = 0) -> bool:
        self.durable = len(self.all)
        return True

    @property
    def states(self) -> list[str]:
        return [receipt.state for receipt in self.all]


class Doer:
    """What was done."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.asked: list[Command] = []
        self.lay = True  # a request is still in the folder when it is taken back

    def status(self) -> dict[str, Any]:
        self.done.append("status")
        return {"agent": AGENT}

    def resend(self, stream: str, run: bytes, first: int, last: int) -> None:
        self.done.append((stream, run, first, last))

    def rebirth(self, identity: bytes) -> None:
        self.done.append(identity)

    def ask_sensor(self, command: Command) -> None:
        self.asked.append(command)

    def withdraw(self, identity: bytes) -> bool:
        self.done.append(("withdrawn", identity))
        return self.lay

    def self_test(self) -> dict[str, Any]:
        return {"checks": {"audit-whole": 1}}

    def restart(self) -> None:
        self.done.append("restart")

    def hold(self, why: str) -> None:
        self.done.append(f"hold {why}")

    def bundle(self) -> dict[str, Any]:
        self.done.append("bundle")
        return {"bundle": b"z"}

    def update(self, command: Command) -> dict[str, Any]:
        self.done.append(f"update {command.args['release']}")
        return {"serial": 7}

    def rotate_key(self) -> dict[str, Any]:
        self.done.append("rotate")
        return {"public": bytes(32)}


class Office:
    """An inbox that can be closed and opened again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.kit = Kit(folder / "state")
        self.folder, self.clock, self.held = folder, SystemClock(), ""
        self.receipts, self.doer, self.policy = Receipts(), Doer(), Policy()
        self.boot = boot_id()
        self.audit: AuditLog
        self.inbox: Inbox
        self.reopen()

    def reopen(self) -> None:
        """As after a restart of the process."""
        self.audit = AuditLog(self.folder / "audit.log", self.clock)
        executed = ExecutedIds(self.folder / "executed", self.boot, self.clock)
        desk = Desk(self.kit.trust, self.policy, executed, self.audit, self.receipts, self.doer, held=lambda: self.held)
        self.inbox = Inbox(Place(AGENT, SITE, self.boot), desk, self.clock)

    def close(self) -> None:
        self.audit.close()

    def audited(self) -> list[str]:
        return (self.folder / "audit.log").read_text().splitlines()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()
