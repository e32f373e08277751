"""A status as lines for a terminal: what matters to a person at the tap first, each line cut to the width.

No escape sequences here: a line says whether it is worth a look, `top.py` knows how its terminal shows that.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from agent.clock import NS_PER_S
from agent.service.board import throttle_words
from agent.service.status import ENDED, OLD_S, LegStatus, SpoolStatus, Status

UNITS = (("d", 86400), ("h", 3600), ("min", 60))
KIB, MIB = 1 << 10, 1 << 20
HOT_MC = 78_000  # the Raspberry Pi slows down from 80 degrees
TABLE_FULL = 0.9
ONE_WAY_FLOWS_MIN = 4  # fewer one-way connections say nothing of the cabling
LEG_COLUMNS = (15, 10, 10, 9, 9, 8, 6, 6)  # 80 with the spaces between; names of interfaces have 15 at most
LEG_HEADS = ("legs", "hears", "frames/s", "Mbit/s", "dropped", "blind", "sent", "silent")


class Line(NamedTuple):
    """A line, and whether a person should look at it."""

    text: str
    bad: bool = False


def duration(seconds: int) -> str:
    """Short: two units at most."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    hours = seconds // 3600
    return f"{hours} h {seconds // 60 % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def briefly(seconds: int) -> str:
    """One unit, for a narrow column."""
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= 2 * length), ("s", 1))
    return f"{seconds // length} {unit}"


def count(number: int) -> str:
    """Thousands apart."""
    return f"{number:,}".replace(",", " ")


def amount(number: int) -> str:
    """For a narrow column: in millions from ten of them."""
    return count(number) if number < 10_000_000 else f"{number / 1e6:.0f} M"


def size(octets: int) -> str:
    """MiB, or KiB when that says more; nothing has no unit."""
    return f"{octets / MIB:.1f} MiB" if octets >= MIB else f"{octets / KIB:.1f} KiB" if octets else "0"


def _columns(cells: tuple[str, ...]) -> str:
    first, *others = zip(cells, LEG_COLUMNS, strict=True)
    return f"{first[0]:<{first[1]}.{first[1]}}" + "".join(f" {cell:>{width}}" for cell, width in others)


def head(status: Status, age_s: int) -> Line:
    """Who, in what state, since when."""
    told = datetime.fromtimestamp(status.wall_ns // NS_PER_S % (1 << 33), UTC).strftime("%H:%M:%S UTC")
    up = duration(max(0, status.mono_ns - status.started_ns) // NS_PER_S)
    lasted = "after" if status.state == ENDED else "for"
    late = f"  ({duration(age_s)} ago)" if age_s > 1 else ""
    return Line(
        f"wardtap {status.software}  {status.agent} @ {status.site}  {status.state} {lasted} {up}  {told}{late}"
    )


def legs(status: Status) -> list[Line]:
    """A row for each leg."""
    return [Line(_columns(LEG_HEADS)), *map(_leg, status.legs)]


def _leg(leg: LegStatus) -> Line:
    silent = "never" if leg.silent_s < 0 else "-" if leg.silent_s < 2 else briefly(leg.silent_s)
    cells = (
        leg.name,
        leg.fault or "yes",
        amount(leg.frames_per_s),
        f"{leg.octets_per_s * 8 / 1e6:.2f}",
        amount(leg.dropped),
        briefly(leg.blind_ms // 1000) if leg.blind_ms else "-",
        amount(leg.tx_packets),
        silent,
    )
    return Line(_columns(cells), bad=bool(leg.fault or leg.dropped_per_s or leg.tx_packets))


def _pairs(status: Status) -> list[tuple[LegStatus, ...]]:
    """A full-duplex tap has two legs, one for each direction; two taps have four."""
    return [status.legs[at : at + 2] for at in range(0, len(status.legs), 2)]


def directions(status: Status) -> list[Line]:
    """Are both directions seen: by legs where a pair has one for each, by connections in any case."""
    told = []
    for pair in _pairs(status):
        deaf = [leg.name for leg in pair if not leg.frames]
        if len(pair) == 2 and len(deaf) == 1:
            told.append(Line(f"directions   ONE ONLY: nothing was ever heard on {deaf[0]}", bad=True))
        elif len(pair) == 2:
            told.append(Line(f"directions   {pair[0].name} + {pair[1].name}: {'none yet' if deaf else 'both heard'}"))
    one_way = status.tcp_one >= ONE_WAY_FLOWS_MIN and status.tcp_one > status.tcp_both
    if one_way:
        told.append(
            Line(f"directions   {status.tcp_one} connections are heard one way only: see the cabling", bad=True)
        )
    share, flows = status.tcp_both * 100 // max(1, status.tcp_flows), count(status.tcp_flows)
    heard = f"{share} % of {flows} open TCP flows with packets both ways" if status.tcp_flows else "no open TCP flows"
    told.append(Line(f"connections  {heard}", bad=one_way))
    return told


def counts(status: Status) -> list[Line]:
    """Flows, devices, the open interval, what was passed over."""
    full = status.flows_open / max(1, status.flows_slots)
    flows = f"{count(status.flows_open)} open ({full:.1%} full)"
    left = f"{amount(status.flows_exported)} exported, {amount(status.flows_evicted)} evicted"
    interval = f"{status.interval_age_s} of {status.interval_s} s, {count(status.summaries)} closed"
    passed = f"{count(status.ignored)} ignored, {count(status.duplicates)} duplicates"
    return [
        Line(f"flows        {flows}, {left}", bad=bool(status.flows_evicted) or full > TABLE_FULL),
        Line(f"devices      {count(status.devices)}, {count(status.findings)} findings; interval {interval}"),
        Line(f"frames       {passed}, {count(status.hints_skipped)} hints skipped"),
    ]


def machine(status: Status) -> list[Line]:
    """The process, the board, the spool."""
    board = status.board
    heat = "temperature unknown" if board.temperature_mc is None else f"{board.temperature_mc / 1000:.1f} °C"
    words = throttle_words(board.throttle) if board.throttle else ""
    hot = board.temperature_mc is not None and board.temperature_mc >= HOT_MC
    together = f"{status.workers} workers, " if status.workers > 1 else ""
    told = f"{together}{size(board.memory_bytes)}, {board.cpu_permille / 10:.1f} % of a core, {heat}"
    return [Line(f"sensor       {told}{', ' + words if words else ''}", bad=hot or bool(words)), _spool(status.spool)]


def _spool(spool: SpoolStatus) -> Line:
    told = f"{size(spool.used_bytes)} of {size(spool.limit_bytes)}, {size(spool.pending_bytes)} unwritten"
    lost = f", {count(spool.not_sent)} lost" if spool.not_sent else ""
    errors = f", {count(spool.write_errors)} errors" if spool.write_errors else ""
    return Line(f"spool        {told}{lost}{errors}", bad=bool(lost or errors))


def talkers(status: Status) -> list[Line]:
    """The busiest devices of the last seconds."""
    lines = [Line(f"{'top talkers':<22} {'MAC':<18} {'maker':<26} {'kbit/s':>11}")]
    for talker in status.talkers:
        role = talker.role.replace("-", " ")
        rate = f"{talker.octets_per_s * 8 / 1000:,.1f}".replace(",", " ")
        lines.append(Line(f"{role:<22.22} {talker.mac:<18.18} {talker.vendor:<26.26} {rate:>11}"))
    return lines if status.talkers else [Line("top talkers  nobody talks")]


def warning(status: Status, age_s: int, *, alive: bool) -> list[Line]:
    """Why these numbers are not the present ones; nothing when they are."""
    if status.state == ENDED:
        return [Line(f"THE SENSOR HAS ENDED, {duration(age_s)} ago. These are its last numbers.", bad=True)]
    if age_s <= OLD_S:
        return []
    why = "it hangs" if alive else "it does not run any more"
    return [Line(f"OLD: the sensor has said nothing for {duration(age_s)}; {why}.", bad=True)]


def view(status: Status, notes: list[Line], age_s: int, width: int, height: int) -> list[Line]:
    """The whole screen, at most `height` lines of at most `width` characters; talkers give way first."""
    parts = [head(status, age_s), *notes, Line(""), *legs(status), *directions(status), Line("")]
    parts += [*counts(status), *machine(status), Line(""), *talkers(status)]
    return [Line(line.text[:width].rstrip(), line.bad) for line in parts[:height]]
