"""`wardtapctl audit verify`: whether a tap's audit log is whole, and the one whose heads it reported.

The log's own chain shows a line that was changed, taken out or put in. A log that was cut at its end, or made anew with
a chain of its own, shows only against the heads that the tap reported while it was written: the collector notes each in
its own hash-chained log.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any, NamedTuple

from agent.commands.audit import HEAD_EVENT, NO_HEAD, heads, rows, verify
from agent.ctl import views
from agent.errors import InputError, StateError
from agent.paragraphs import counted


class Verdict(NamedTuple):
    """What was found; `fault` is empty when nothing contradicts the log."""

    lines: int
    head: str
    compared: int
    fault: str


def add_parsers(commands: Any) -> None:
    """`audit verify`."""
    what = commands.add_parser("audit", help="audit logs").add_subparsers(required=True, metavar="COMMAND")
    one = what.add_parser("verify", help="is a log whole, and the one that was reported")
    one.add_argument("log", type=Path, help="a tap's audit.log, or a collector's; its older part FILE.1 is read too")
    one.add_argument("--heads", type=Path, metavar="FILE", help="the collector's audit.log: what the tap reported")
    one.add_argument("--agent", default="", help="needed with --heads when there are several taps")
    one.add_argument("--json", action="store_true")
    one.set_defaults(do=_verify)


def _verify(options: argparse.Namespace) -> int:
    verdict = judge(options.log, options.heads, options.agent)
    told = verdict._asdict()
    print(json.dumps(told) if options.json else "\n".join(views.lines(told)))
    if verdict.fault:
        raise StateError(verdict.fault, where=str(options.log))
    return 0


def judge(log: Path, reported: Path | None, agent: str) -> Verdict:
    """The log and its older part, then what was reported of it."""
    if not log.is_file():
        raise InputError("there is no such log", where=str(log))
    older = log.with_name(log.name + ".1")
    parts = [part for part in (older, log) if part.is_file()]
    chains = [verify(part) for part in parts]
    held = [head for part in parts for head in heads(part)]
    head = held[-1][1].hex() if held else ""
    fault = _broken(parts, [chain.broken_at for chain in chains]) or _joined(parts)
    compared = 0
    if not fault and reported is not None:
        told = _reported(reported, agent)
        compared, fault = len(told), _contradiction(held, told)
    return Verdict(len(held), head, compared, fault)


def _broken(parts: Sequence[Path], lines: Sequence[int]) -> str:
    wrong = [f"{part.name} line {line}" for part, line in zip(parts, lines, strict=True) if line]
    return f"the chain breaks: {', '.join(wrong)}" if wrong else ""


def _joined(parts: Sequence[Path]) -> str:
    """The newer part goes on where the older one ended."""
    if len(parts) < 2:
        return ""
    last, first = list(rows(parts[0]))[-1:], list(rows(parts[1]))[:1]
    if last and first and first[0].get("prev") != last[0].get("hash"):
        return "the newer part does not go on where the older one ends"
    return ""


def _reported(path: Path, agent: str) -> list[bytes]:
    """Heads of one tap in the order in which they came; the collector's log must be whole itself."""
    judged = judge(path, None, "")
    if judged.fault:
        raise StateError(judged.fault, where=str(path))
    told = [
        row for part in (path.with_name(path.name + ".1"), path) for row in rows(part) if row["event"] == HEAD_EVENT
    ]
    names = {str(row.get("agent")) for row in told}
    if not agent and len(names) > 1:
        raise InputError(f"heads of {', '.join(sorted(names))}", where=str(path), todo="name one with --agent")
    return [bytes.fromhex(str(row["head"])) for row in told if agent in {"", row.get("agent")}]


def _contradiction(held: Sequence[tuple[int, bytes]], told: Sequence[bytes]) -> str:
    """A reported head that the log does not have; only what is older than the log may be missing.

    A tap that reports before its log has a line tells the head of nothing. Told later, the log was emptied.
    """
    known = {head for _, head in held}
    told = list(dropwhile(lambda head: head == NO_HEAD, told))
    first = next((place for place, head in enumerate(told) if head in known), len(told))
    whole = not held or held[0][0] == 1
    if told and first == len(told):
        return "no head that the tap reported is in this log: it is another one, or it was cut"
    if first and whole:
        return f"{counted(first, 'reported head')} not in this log, which says that it is whole: it was made anew"
    missing = [head for head in told[first:] if head not in known]
    if missing:
        return f"{len(missing)} reported heads are missing, the first is {missing[0].hex()[:16]}"
    return ""
