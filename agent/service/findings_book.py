"""`wardtap findings`: the catalogue explained, what would be said of a capture, and suppressions made and shown."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.clock import NS_PER_S, Clock
from agent.config import Config
from agent.errors import InputError
from agent.findings.catalogue import CATALOGUE, ELSEWHERE, OF_THE_TAP
from agent.findings.contract_file import nearest
from agent.findings.contracts import ContractSet
from agent.findings.draft import RANK
from agent.findings.suppressions import CONTROLS, MAINTENANCE, Explained, Suppression
from agent.findings.words import PROTOCOLS, mac_text, time_text
from agent.paragraphs import wrapped
from agent.service.ears import Ears, listen
from agent.service.suppression_draft import Explanation, add_to, findings_of, made_from
from agent.service.suppression_orders import read_ordered
from agent.service.suppression_store import read_explained

ALL = {**CATALOGUE, **ELSEWHERE}
LAST_NS = 2**63 - 1
SHOWN_MAX = 50  # findings of a capture that are told one by one


def listing(width: int | None = None) -> list[str]:
    """A line for each id, the gravest first; more lines where the terminal has no room."""
    order = sorted(ALL, key=lambda name: (-RANK[ALL[name].severity], name))
    heads = [f"{name:<22} {ALL[name].severity:<8} " for name in order]
    return [line for head, name in zip(heads, order, strict=True) for line in wrapped(ALL[name].meaning, width, head)]


def explained(name: str, contracts: ContractSet, width: int | None = None) -> list[str]:
    """What an id means, how grave it can be, its techniques, what to do, and whether it can be suppressed."""
    entry = ALL.get(name)
    if entry is None:
        raise InputError(
            f"no finding is called {name!r}", todo=nearest(name, list(ALL)) or "see `wardtap findings list`"
        )
    where = "the collector" if name in ELSEWHERE else "the tap, about itself" if name in OF_THE_TAP else "the tap"
    quiet = "cannot be suppressed: it is how a tap says that something is wrong with it"
    if name not in CONTROLS:
        work = (
            "held back while its device is under maintenance" if name in MAINTENANCE else "said under maintenance too"
        )
        quiet = f"can be suppressed for a device, or for a role with a peer or a port; {work}"
    techniques = ", ".join(contracts.attack.of(name)) or "none"
    rows = {
        "means": entry.meaning,
        "at most": entry.severity,
        "raised by": where,
        "techniques": f"{techniques} ({contracts.attack.version})",
        "next step": entry.next_step,
        "quiet": quiet,
    }
    told = [name]
    for key, text in rows.items():
        told += wrapped(text, width, f"  {key:<11} ")
    return [*told, "  docs/findings.md says when it is raised, and what it needs."]


def tried(paths: Sequence[Path], config: Config, only: str, folder: Path | None, width: int | None = None) -> list[str]:
    """What the sensor would have said of captures; with a folder of suppressions also what they hold back."""
    if only and only not in ALL:
        raise InputError(f"no finding is called {only!r}", todo=nearest(only, list(ALL)))
    ears = Ears()
    pipeline, _ = listen(paths, config, ears, _at_any_time(read_explained([folder])) if folder is not None else None)
    said = [finding for finding in ears.findings if only in ("", finding.id)]
    causes = {finding.cause: finding for finding in said}
    counts = Counter((finding.id, str(finding.severity)) for finding in causes.values())
    files = "this file" if len(paths) == 1 else f"these {len(paths)} files"
    told = [f"would have raised {len(causes)} in {files}{f' of the kind {only}' if only else ''}"]
    told += [f"  {count:>5}  {severity:<8} {name}" for (name, severity), count in sorted(counts.items())]
    for finding in list(causes.values())[:SHOWN_MAX]:
        told += wrapped(f"{finding.severity}: {finding.sentence}", width, "  ", "    ")
    if folder is not None:
        told.append(f"held back by suppressions: {pipeline.engine.silence.held_back}")
    return told


def _at_any_time(explained: Explained) -> Explained:
    """As if they held when the capture was made: they are for days to come, and every capture is of one past."""
    return explained._replace(
        suppressions=tuple(rule._replace(start_ns=0, end_ns=LAST_NS) for rule in explained.suppressions)
    )


def in_words(rule: Suppression, now_ns: int) -> str:
    """One suppression in a line."""
    whom = mac_text(rule.device) if rule.device else f"any {rule.role}"
    peer = (
        f" with {rule.peer if rule.peer is not None else mac_text(rule.peer_mac)}" if rule.peer or rule.peer_mac else ""
    )
    port = f" on {PROTOCOLS.get(rule.protocol, rule.protocol)} {rule.port or ''}".rstrip() if rule.protocol else ""
    state = "in force" if rule.runs(now_ns) else "over" if now_ns >= rule.end_ns else "not yet"
    what = f"{rule.id} up to {rule.severity}" if rule.id else "maintenance"
    return f"{what:<36} {whom}{peer}{port}: {state}, until {time_text(rule.end_ns)}, {rule.owner}: {rule.why}"


def shown(folders: Sequence[Path], state: Path, now_ns: int) -> list[str]:
    """Suppressions, maintenance and windows of packs, and the suppressions that were ordered, with their ids."""
    held = read_explained(folders)
    ordered = [f"{in_words(one.rule, now_ns)} (suppression {one.order})" for one in read_ordered(state)]
    windows = [f"window {w.role}: {time_text(w.start_ns)} to {time_text(w.end_ns)}" for w in held.windows]
    return [*(in_words(rule, now_ns) for rule in held.suppressions), *ordered, *windows] or ["nothing is suppressed"]


def suppress(source: Path, cause: str, said: Explanation, into: Path) -> list[str]:
    """Make a suppression from a finding of a file; it counts once the folder was signed and taken over."""
    made = made_from(findings_of(source), cause, said)
    path = add_to(into, made, cause)
    return [in_words(made, said.start_s * NS_PER_S), f"added to {path}; sign the folder with `wardtapctl pack sign`"]


def today_s(clock: Clock) -> int:
    """From when a new suppression counts."""
    return clock.wall_ns() // NS_PER_S
