"""`wardtap`: the command line of the appliance."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent import __version__
from agent.command_line import described, ended
from agent.last_words import leave_nothing
from agent.service import findings_options, release_options
from agent.service.startup import lean

if TYPE_CHECKING:
    from agent.config import Config

CLOCK_STATES = {
    "none": "nobody has told this tap the time",
    "floor": "the clock is behind what was signed, and time is counted from there",
    "holdover": "nothing keeps the clock right now",
    "synced": "something keeps the clock right",
}
STATE_HELP = "default: /var/lib/wardtap"
WITH_KERNELS = {"replay", "sensor", "warmup", "doctor", "contracts", "findings"}

# Imports stand inside the commands: each program loads only its own part (the uplink no kernels, the sensor no broker).


def _config(options: argparse.Namespace) -> "Config":
    """The file that was named, else the state directory's, else the defaults."""
    from agent import config  # noqa: PLC0415

    state: Path | None = getattr(options, "state", None)
    if options.config:
        return config.load(options.config)
    if state is not None and (state / "wardtap.toml").is_file():
        return config.load(state / "wardtap.toml")
    return config.default(state)


def _replay(options: argparse.Namespace) -> int:
    from agent.service.replay import Wanted, replay  # noqa: PLC0415

    wanted = Wanted(options.json, options.flows, options.plain_names)
    return replay(options.files, _config(options), wanted, sys.stdout)


def _sensor(options: argparse.Namespace) -> int:
    from agent.service.sensor import run  # noqa: PLC0415

    return run(_config(options), options.state, options.replay)


def _uplink(options: argparse.Namespace) -> int:
    from agent.service.uplink import run  # noqa: PLC0415

    return run(_config(options), options.state, options.broker)


def _top(options: argparse.Namespace) -> int:
    from agent.service.top import top  # noqa: PLC0415

    return top(options.state, once=options.once, in_json=options.json)


def _doctor(options: argparse.Namespace) -> int:
    from agent.service.doctor import doctor  # noqa: PLC0415

    return doctor(options.config, options.state, in_json=options.json)


def _warmup(_: argparse.Namespace) -> int:
    from agent.service.warmup import warm_up  # noqa: PLC0415

    ready, now = warm_up()
    print(f"{ready} kernels ready, {now} of them compiled now")
    return 0


def _check_config(options: argparse.Namespace) -> int:
    from agent import config  # noqa: PLC0415

    checked = config.load(options.file)
    print(f"{options.file}: good; sha256 {checked.sha256}")
    return 0


def _keys(options: argparse.Namespace) -> int:
    from agent.signing.keys import PrivateKey  # noqa: PLC0415

    key = PrivateKey.load(options.file or options.state / "uplink" / "agent.key")
    print(f"key id      {key.key_id.hex()}\nfingerprint {key.public.fingerprint}")
    return 0


def _clock(options: argparse.Namespace) -> int:
    from agent.clock import NS_PER_S, set_wall, utc_text  # noqa: PLC0415
    from agent.service.timekeeping import FILE_NAME, KeptTime  # noqa: PLC0415

    clock = KeptTime(options.state / "uplink" / FILE_NAME)
    if options.set:
        print(f"moved by {clock.correct(set_wall) // NS_PER_S} s")
    state, error_ns = clock.state()
    error = f"within {error_ns / NS_PER_S:.3f} s" if error_ns >= 0 else "of unknown error"
    floor = utc_text(clock.floor_ns) if clock.floor_ns else "any time: nobody has signed one"
    print(f"{state} ({CLOCK_STATES[state]}), {error}; not before {floor}")
    return 0


def _enrol(options: argparse.Namespace) -> int:
    from agent.service.enrol import REQUEST_NAME, enrol  # noqa: PLC0415
    from agent.service.enrol_send import send  # noqa: PLC0415
    from agent.service.timekeeping import FILE_NAME, KeptTime  # noqa: PLC0415
    from agent.signing.files import read_regular  # noqa: PLC0415
    from agent.signing.kit import KIT_BYTES_MAX, read_kit  # noqa: PLC0415

    piped = str(options.kit) == "-"
    kit = read_kit(sys.stdin.buffer.read(KIT_BYTES_MAX + 1) if piped else read_regular(options.kit, KIT_BYTES_MAX)[0])
    site, own = _config(options).site, options.state / "uplink"
    clock = KeptTime(own / FILE_NAME)
    print(f"fingerprint {enrol(kit, options.state, site.site, site.agent, clock)}: compare it with the desk's screen")
    if options.send:
        send(kit, options.state, clock)
        print("sent; whoever runs `wardtapctl enrol wait` has it")
    else:
        print(f"carry {own / REQUEST_NAME} to the desk: wardtapctl enrol accept")
    return 0


def _packs(options: argparse.Namespace) -> int:
    from agent.service.pack_store import packs  # noqa: PLC0415

    return packs(options.folder, options.state, options.trust)


def _contracts(options: argparse.Namespace) -> int:
    from agent.service import contract_book  # noqa: PLC0415

    if options.what == "import":
        return contract_book.import_mud(Path(options.whom))
    return contract_book.show(_config(options), options.what, options.whom, options.format, options.capture)


def _findings(options: argparse.Namespace) -> int:
    print("\n".join(findings_options.run(options, _config(options))))
    return 0


def _version(_: argparse.Namespace) -> int:
    print(f"wardtap {__version__}")
    return 0


def _contract_options(parser: argparse.ArgumentParser) -> None:
    """`contracts` has four things to do; what is printed is advice, nothing is applied."""
    things = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    things.add_parser("list", help="the contracts there are").set_defaults(whom="", format="", capture=[])
    for name, told in (("explain", "each line, and where it comes from"), ("acl", "rules for a switch or a firewall")):
        one = things.add_parser(name, help=told)
        one.add_argument("whom", metavar="ROLE|MAC", help="a MAC address needs a capture in which it is")
        one.add_argument("--capture", nargs="+", type=Path, default=[], metavar="FILE", help="what would be blocked")
        one.set_defaults(format="nftables")
        if name == "acl":
            one.add_argument("--format", choices=("nftables", "cisco", "mud"), default="nftables")
    made = things.add_parser("import", help="a maker's MUD file as lines for a site's contract")
    made.add_argument("whom", metavar="FILE")
    made.set_defaults(format="", capture=[])
    for thing in things.choices.values():
        thing.add_argument("--config", type=Path, metavar="FILE", help="default: the shipped one")
        thing.set_defaults(run=_contracts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtap", description="A passive security monitor for a ward's network.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    replay = commands.add_parser("replay", help="run the whole sensor over capture files")
    replay.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="pcap, pcapng, gzip of either; - for a pipe"
    )
    replay.add_argument("--json", action="store_true", help="JSON Lines: device, flow, finding, coverage, stats")
    replay.add_argument("--flows", action="store_true", help="with --json: a line for every flow record")
    replay.add_argument("--plain-names", action="store_true", help="names as they were on the wire, not pseudonyms")
    replay.add_argument("--config", type=Path, metavar="FILE", help="default: the shipped one")
    replay.set_defaults(run=_replay)
    sensor = commands.add_parser("sensor", help="listen on the legs (or play captures) and write the spool")
    sensor.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="captures instead of legs")
    sensor.set_defaults(run=_sensor)
    uplink = commands.add_parser("uplink", help="sign what the spool holds, send it, take commands")
    uplink.add_argument("--broker", metavar="URL", help="instead of the configuration's")
    uplink.set_defaults(run=_uplink)
    for service in (sensor, uplink):
        service.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state directory")
        service.add_argument("--config", type=Path, metavar="FILE", help="default: DIR/wardtap.toml, then defaults")
    top = commands.add_parser("top", help="how the sensor is, each second: legs, directions, drops, devices, talkers")
    top.add_argument("--state", type=Path, metavar="DIR", help="of another sensor than the installed one")
    top.add_argument("--once", action="store_true", help="one look; exit code 7 when no sensor runs")
    top.add_argument("--json", action="store_true", help="JSON Lines")
    top.set_defaults(run=_top)
    doctor = commands.add_parser("doctor", help="is everything as it should be, a line each; sends and changes nothing")
    doctor.add_argument("--config", type=Path, metavar="FILE", help="default: /etc/wardtap/wardtap.toml")
    doctor.add_argument("--state", type=Path, metavar="DIR", help="of another sensor than the installed one")
    doctor.add_argument("--json", action="store_true", help="JSON Lines")
    doctor.set_defaults(run=_doctor)
    commands.add_parser("warmup", help="compile the kernels now").set_defaults(run=_warmup)
    check = commands.add_parser("check-config", help="say whether a configuration is good, and what is not")
    check.add_argument("file", type=Path, metavar="FILE", help="a wardtap.toml")
    check.set_defaults(run=_check_config)
    keys = commands.add_parser("keys", help="show the agent's key id and fingerprint")
    keys.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: the uplink's, in the state folder")
    keys.add_argument("--state", type=Path, default=Path("/var/lib/wardtap"), metavar="DIR", help=STATE_HELP)
    keys.set_defaults(run=_keys)
    clock = commands.add_parser("clock", help="how sure the time is, and what it cannot be before")
    clock.add_argument("--set", action="store_true", help="set the machine's clock when it is behind that")
    clock.add_argument("--state", type=Path, default=Path("/var/lib/wardtap"), metavar="DIR", help=STATE_HELP)
    clock.set_defaults(run=_clock)
    enrol = commands.add_parser("enrol", help="take an enrolment kit: make a key, ask to be entered")
    enrol.add_argument("--kit", type=Path, required=True, metavar="FILE", help="- for standard input")
    enrol.add_argument("--send", action="store_true", help="to the kit's broker, for a desk that waits")
    enrol.add_argument("--state", type=Path, default=Path("/var/lib/wardtap"), metavar="DIR", help=STATE_HELP)
    enrol.add_argument("--config", type=Path, metavar="FILE", help="default: DIR/wardtap.toml, then defaults")
    enrol.set_defaults(run=_enrol)
    packs = commands.add_parser("packs", help="which packs are in force; with a folder: check and take over")
    packs.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="a signed pack, or a folder of them")
    packs.add_argument("--state", type=Path, default=Path("/var/lib/wardtap"), metavar="DIR", help=STATE_HELP)
    packs.add_argument("--trust", type=Path, metavar="FILE", help="default: the uplink's, in the state folder")
    packs.set_defaults(run=_packs)
    _contract_options(commands.add_parser("contracts", help="what a role does, as text, filter or MUD file"))
    findings_options.add(commands.add_parser("findings", help="what can be found, and what is held back"), _findings)
    release_options.add(commands.add_parser("release", help="whether a laid release may run (install.sh asks)"))
    commands.add_parser("version", help="print the version").set_defaults(run=_version)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Errors for people are one line; the exit code tells their kind."""
    alone = arguments is None  # nobody else's code runs in this process
    if alone:
        leave_nothing("wardtap")
    options = described(_parser()).parse_args(arguments)
    if alone and options.command in WITH_KERNELS:
        lean()

    def do() -> int:
        code: int = options.run(options)
        sys.stdout.flush()
        if alone and options.command == "replay":
            sys.stderr.flush()
            os._exit(code)  # everything is said and written: taking the tables and the mapping apart is wasted time
        return code

    return ended("wardtap", do)
