"""The words of `wardtap findings`, and what each of them calls."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config import Config

DAYS_MAX = 366
STATE = Path("/var/lib/wardtap")


def _days(text: str) -> int:
    """A number of days, a year at most."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"1 to {DAYS_MAX} days")
    return int(text)


def add(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    """`findings` has five things to do."""
    things = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    things.add_parser("list", help="every id, the gravest first")
    one = things.add_parser("explain", help="what an id means, and what to do")
    one.add_argument("id", metavar="ID")
    test = things.add_parser("test", help="what would have been said of captures; nothing is sent")
    test.add_argument("files", nargs="+", type=Path, metavar="FILE")
    test.add_argument("--id", default="", metavar="ID", help="this kind only")
    test.add_argument("--suppressions", type=Path, metavar="DIR", help="a folder with suppressions.toml, signed or not")
    made = things.add_parser("suppress", help="make a suppression from a finding, to be signed")
    made.add_argument("file", type=Path, metavar="FILE", help="findings as JSON Lines, of a replay or the collector")
    made.add_argument("--cause", required=True, metavar="CAUSE", help="which finding")
    made.add_argument("--owner", required=True, help="who answers for it")
    made.add_argument("--why", required=True, help="what explains it")
    made.add_argument("--days", required=True, type=_days, metavar="N", help="how long it holds")
    made.add_argument("--whole-role", action="store_true", help="for all devices of the role")
    made.add_argument("--into", required=True, type=Path, metavar="DIR", help="the pack's folder")
    shown = things.add_parser("suppressions", help="what is held back, by whom and until when")
    shown.add_argument("--state", type=Path, default=STATE, metavar="DIR")
    for thing in things.choices.values():
        thing.add_argument("--config", type=Path, metavar="FILE")
        thing.set_defaults(run=run)


def run(options: argparse.Namespace, config: "Config") -> list[str]:
    """The lines to print."""
    from agent.clock import SystemClock  # noqa: PLC0415 - only its own command loads a program's parts
    from agent.devices.site_packs import in_force  # noqa: PLC0415
    from agent.paragraphs import terminal_width  # noqa: PLC0415
    from agent.service import findings_book as book  # noqa: PLC0415
    from agent.service.ears import NO_SECRET  # noqa: PLC0415
    from agent.service.parts import judgement  # noqa: PLC0415
    from agent.service.suppression_draft import Explanation  # noqa: PLC0415

    if options.what == "list":
        return book.listing(terminal_width())
    if options.what == "explain":
        return book.explained(options.id, judgement(config, NO_SECRET).contracts, terminal_width())
    if options.what == "test":
        return book.tried(options.files, config, options.id, options.suppressions, terminal_width())
    if options.what == "suppress":
        start_s = book.today_s(SystemClock())
        said = Explanation(options.owner, options.why, start_s, options.days, options.whole_role)
        return book.suppress(options.file, options.cause, said, options.into)
    return book.shown(in_force(options.state), options.state, SystemClock().wall_ns())
