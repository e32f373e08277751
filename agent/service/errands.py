"""What the sensor is asked to do by a request file, and how it answers: with a receipt in its own spool.

Each request is looked at again here - its boot, its time, its arguments - whatever the uplink thought of it, and is
done at most once: its file is gone before anything is done.
"""

import dataclasses
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.clock import Clock, boot_id, discipline
from agent.commands.audit import last_head
from agent.commands.requests import Request, RequestBox
from agent.errors import Refused, WardtapError
from agent.flows.records import Rows
from agent.service import pause
from agent.service.header_rows import HeaderRows
from agent.service.labels import Labels
from agent.service.learning import BaselineKeeper
from agent.service.pipeline import Pipeline
from agent.service.suppression_store import SuppressionKeeper
from agent.spool.writer import SpoolWriter
from agent.tap.records import Fault, LegCounts
from agent.wire.command import Receipt
from agent.wire.summary import SCHEMA, Summary
from agent.wire.types import MessageType

AUDIT_DIGITS = 32
HEALTH_MAX = SCHEMA.fields["he"].most  # type: ignore[attr-defined]
Say = Callable[[str], None]
Done = dict[str, Any] | None  # None: it is not over yet


class Errands:
    """Takes requests once a second, between two bursts."""

    def __init__(self, state: Path, writer: SpoolWriter, clock: Clock, keeper: BaselineKeeper, say: Say) -> None:
        self._state, self._writer, self._clock, self._keeper, self._say = state, writer, clock, keeper, say
        self._box, self._boot = RequestBox(state / "requests"), boot_id()
        self.labels = Labels(state / "sensor" / "labels.json")
        self.headers = HeaderRows(state)
        self.suppressions = SuppressionKeeper(state, say)
        self._unwritten = ""  # why a recording cannot go on
        self.stop = threading.Event()  # set to end the program in order
        self._legs: list[LegCounts] = []
        self._table: Mapping[str, Callable[[Request, Pipeline], Done]] = {
            "set-learning": self._learn,
            "change-window": self._learn,
            "label-device": self._label,
            "suppress": self._suppress,
            "unsuppress": self._suppress,
            "record-headers": self._record,
            "self-test": self._test,
            "restart": self._pause,
            "quiesce": self._pause,
        }

    def look(self, pipeline: Pipeline, legs: list[LegCounts]) -> None:
        """Do what is asked, and end what is over."""
        self._legs = legs
        for request in self._box.take():
            self._serve(request, pipeline)
        if self._unwritten or self.headers.due(self._clock.mono_ns()):
            self._end_recording(self._unwritten)

    def hear(self, rows: Rows, count: int) -> None:
        """A burst's rows, for a recording. With several workers whoever judges calls it: it answers nobody."""
        if self._unwritten:
            return
        try:
            self.headers.take(rows, count)
        except OSError as error:
            self._unwritten = f"state: {error.strerror}"

    def told(self, summary: Summary) -> Summary:
        """The summary with people's names on its cards, whatever records, and the head of the uplink's audit log."""
        health = self.headers.health(self._clock.mono_ns()) | self._audited() | summary.health
        health = dict(list(health.items())[:HEALTH_MAX])  # who looks and who ordered is told before anything else
        return dataclasses.replace(summary, health=health, cards=tuple(map(self.labels.on, summary.cards)))

    def _audited(self) -> dict[str, str]:
        """Half of the hash: nobody finds another line for it, and summaries stay small."""
        head = last_head(self._state / "uplink" / "audit.log")
        return {} if head is None else {"audit": f"{head[0]} {head[1].hex()[:AUDIT_DIGITS]}"}

    def close(self) -> None:
        """A recording that is not over has failed."""
        if self.headers.runs:
            self._end_recording(self._unwritten or "interrupted: the sensor ended")

    def _end_recording(self, why: str) -> None:
        self._unwritten = ""
        request, fault, told = self.headers.finish()
        self._answer(request, "failed" if why or fault else "done", why or fault, told)

    def _serve(self, request: Request, pipeline: Pipeline) -> None:
        """One request; whatever goes wrong is its answer."""
        if request.name == "cards":
            pipeline.tell_all_cards()
            return
        late = request.late(self._boot, self._clock.mono_ns())
        if late:
            self._answer(request, "failed", f"{late}: the sensor saw it too late", {})
            return
        try:
            done = self._table[request.name](request, pipeline)
        except Refused as error:
            self._answer(request, "failed", f"{error.reason}: {error.what}", {})
        except WardtapError as error:
            self._answer(request, "failed", str(error), {})
        except OSError as error:
            self._answer(request, "failed", f"state: {error.strerror}", {})
        else:
            if done is not None:
                self._answer(request, "done", "", done)

    def _learn(self, request: Request, pipeline: Pipeline) -> Done:
        refused = self._keeper.refused
        self._keeper.order(request, pipeline.engine, self._clock.wall_ns())
        if self._keeper.refused != refused:
            raise Refused(f"{request.args.get('role')!r} is no role", reason="bad-arguments")
        return dict(request.args)

    def _label(self, request: Request, pipeline: Pipeline) -> Done:
        self.labels.put(request.args["device"], request.args["label"])
        pipeline.tell_all_cards()
        return dict(request.args)

    def _suppress(self, request: Request, pipeline: Pipeline) -> Done:
        return self.suppressions.order(request, pipeline.engine, self._clock.wall_ns())

    def _record(self, request: Request, _: Pipeline) -> Done:
        self.headers.start(request, self._clock.mono_ns())
        self._say(f"records headers of {request.args['device']} for {request.args['seconds']} s")
        return None

    def _pause(self, request: Request, _: Pipeline) -> Done:
        pause.begin(self._state, request, self._boot, self._clock.mono_ns())
        self._say(f"{request.name}: ends now")
        self.stop.set()
        return None

    def _test(self, _request: Request, pipeline: Pipeline) -> Done:
        """Each check by name, 1 good and 0 not; silence on a leg is no fault of ours, sending is."""
        kept = discipline()
        checks = {
            "legs-hear": all(leg.fault is Fault.NONE for leg in self._legs),
            "legs-silent": all(leg.tx_packets == 0 for leg in self._legs),
            "nothing-dropped": all(leg.dropped == 0 for leg in self._legs),
            "spool-writes": self._writer.counts.write_errors == 0,
            "frames-conserved": pipeline.conserved(),
            "clock-synced": kept is not None and kept.synced,
        }
        legs = {leg.name: [leg.frames, leg.dropped, leg.tx_packets, leg.fault.value] for leg in self._legs}
        return {"checks": {name: int(good) for name, good in checks.items()}, "legs": legs, "devices": pipeline.devices}

    def _answer(self, request: Request, state: str, reason: str, result: dict[str, Any]) -> None:
        receipt = Receipt(request.id, request.name, state, reason, result)
        self._writer.append(MessageType.RECEIPT, receipt.to_content())
