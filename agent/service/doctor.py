"""`wardtap doctor`: one line for each thing that must be right before a ward is listened to, and what to do.

Passive in every sense: it sends nothing, asks no name server and no broker, sets nothing and writes nothing (but, from
a checkout, the folder that numba wants). Exit code: 0 all is well, 1 something is worth a look, else the code of the
first failure's kind (`agent.errors`).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent import config as configuration
from agent.clock import Clock, SystemClock, discipline
from agent.config import Config
from agent.errors import WardtapError
from agent.paragraphs import terminal_width, wrapped
from agent.service.board import ROOT
from agent.service.check import Check, Level, failed, ok, warn
from agent.service.leg_checks import direction_checks, gather, leg_checks
from agent.service.machine_checks import clock_checks, disk_checks, machine_checks
from agent.service.site_checks import (
    broker_checks,
    capture_checks,
    kernel_checks,
    key_checks,
    knowledge_checks,
    library_checks,
)
from agent.service.status import STATE, Status, places
from agent.service.top import look
from agent.tap.live import backend_of

SITE_FILE = Path("/etc/wardtap/wardtap.toml")
WARNED = 1
INDENT = " " * 18  # under what was found


def exit_code(checks: Iterable[Check]) -> int:
    """Of the worst."""
    held = list(checks)
    failures = [check.kind.exit_code for check in held if check.level == Level.FAIL]
    if failures:
        return failures[0]
    return WARNED if any(check.level == Level.WARN for check in held) else 0


def doctor(file: Path | None, state: Path | None, *, in_json: bool = False, root: Path = ROOT) -> int:
    """Look at everything, a line at once for each."""
    seen, width = [], terminal_width()
    for check in checks(file, state, SystemClock(), root):
        seen.append(check)
        print(_line(check) if in_json else "\n".join(wrapped(str(check), width, "", INDENT)), flush=True)
    counts = {level: sum(check.level == level for check in seen) for level in Level}
    if not in_json:
        print(", ".join(f"{count} {level}" for level, count in counts.items()))
    return exit_code(seen)


def _line(check: Check) -> str:
    told = check._asdict() | {
        "level": str(check.level),
        "kind": check.kind.exit_code if check.level == Level.FAIL else 0,
    }
    return json.dumps(told)


def checks(file: Path | None, state: Path | None, clock: Clock, root: Path = ROOT) -> Iterator[Check]:
    """Every line, in the order in which a person would set things right."""
    held, its_file, said = _configuration(file, state)
    yield said
    folder = state or (held.state.path if held else STATE)
    status, told = _sensor(folder, clock)
    yield told
    if held is not None:
        for name in held.tap.legs:
            yield from _leg(name, status, root)
        yield from direction_checks(status)
    yield from machine_checks(held, status, root)
    yield from clock_checks(discipline(), clock, root)
    if held is not None:
        yield from disk_checks(held, folder)
        yield from key_checks(held, folder, its_file)
        yield from knowledge_checks(held, folder)
        yield from broker_checks(held, root)
    yield from capture_checks(backend_of(held.tap) if held else "ring")
    yield from library_checks()
    yield from kernel_checks()


def _configuration(file: Path | None, state: Path | None) -> tuple[Config | None, Path | None, Check]:
    """As the services find it: the file that was named, the state directory's, the site's, the defaults."""
    beside = (state / "wardtap.toml") if state else SITE_FILE
    its_file = file or (beside if beside.is_file() else None)
    if its_file is None:
        where = str(beside)
        return (
            configuration.default(state),
            None,
            warn("config", where, "is not there: the defaults count", "--config FILE"),
        )
    try:
        held = configuration.load(its_file)
    except WardtapError as error:
        return None, its_file, failed("config", error)
    return held, its_file, ok("config", str(its_file), f"good; legs {', '.join(held.tap.legs)}")


def _sensor(folder: Path, clock: Clock) -> tuple[Status | None, Check]:
    """The running sensor's status, None when there is no present one."""
    seen = look(places(folder), clock)
    if seen.status is None or seen.why:
        return None, warn("sensor", "", seen.why, "sudo systemctl start wardtap-sensor")
    told = f"listens (process {seen.status.pid}), {seen.status.devices} devices, {seen.status.findings} findings"
    return seen.status, ok("sensor", "", told)


def _leg(name: str, status: Status | None, root: Path) -> Iterator[Check]:
    try:
        yield from leg_checks(gather(name, root), status)
    except WardtapError as error:
        yield failed("leg", error)
