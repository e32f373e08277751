"""`./install.sh demo`: a recorded ward through the real sensor, spool, uplink, broker and collector, and what came out.

Every part is the program that a site runs, started as a site would start it; only keys, trust table and broker are
made for the occasion, in a folder of its own.
"""

import argparse
import json
import shutil
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from agent.clock import SystemClock
from agent.ctl.lab import Lab, make_lab
from agent.errors import InputError, LinkError, WardtapError
from agent.paragraphs import counted, wrapped
from agent.service.programs import ROOT, Programs, answers, foreground, free_port, mosquitto

SITE, AGENT = "demo", "tap-1"
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"
PORT = 8080
DELIVERY_TIMEOUT_S = 120.0  # a resend comes after 30 s; two of them and a slow card
WIDTH_MIN, WIDTH_MAX = 60, 100  # of the terminal; sentences are not read well across a wide one
RANK = {"page": 0, "review": 1, "health": 2, "posture": 3}
MEANS = {"page": "a person now", "review": "today's list", "health": "the tap itself", "posture": "how it is set up"}
ONE_OF_A_KIND = {"health", "posture"}


def say(text: str = "") -> None:
    """A line for the person."""
    print(text, flush=True)


def width() -> int:
    """Columns to write in."""
    return min(WIDTH_MAX, max(WIDTH_MIN, shutil.get_terminal_size((WIDTH_MAX, 24)).columns))


class Page:
    """The collector's page, asked for what it shows."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"

    def ask(self, path: str) -> Any:
        """One of the page's JSON answers."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310 - our own loopback page
            return json.load(answer)

    def stored(self) -> int:
        """Records of the sensor that are stored and acknowledged."""
        taps = self.ask("api/taps.json")["taps"]
        return sum(stream["stored"] for tap in taps for stream in tap["streams"] if stream["stream"] == "sensor")


def _broker(options: argparse.Namespace, folder: Path, programs: Programs) -> str:
    """The address of a broker: the person's, or one that is started here."""
    if options.broker:
        say(f"broker      {options.broker} (yours)")
        return str(options.broker)
    port, program = free_port(), mosquitto()
    if program and not options.embedded:
        conf = folder / "broker.conf"
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 262144\n", encoding="ascii")
        programs.start("broker", program, "-c", str(conf))
        name = "mosquitto"
    else:
        programs.module("broker", "agent.service.embedded_broker", str(port))
        name = "amqtt, embedded"
    programs.wait_for_port("broker", port)
    say(f"broker      {name} on 127.0.0.1:{port}")
    return f"mqtt://127.0.0.1:{port}"


def _port(wanted: int | None) -> int:
    if wanted is None:
        return free_port() if answers(PORT) else PORT
    if answers(wanted):
        raise InputError("somebody listens there already", where=f"port {wanted}", todo="choose another with --port")
    return wanted


def _play(lab: Lab, capture: Path, programs: Programs, page: Page) -> None:
    """The capture through the sensor into the spool, and from there to the collector."""
    say(f"sensor      plays {capture.name}")
    code = foreground("agent", "sensor", "--state", str(lab.agent), "--replay", str(capture))
    if code not in (0, 2):
        raise InputError(f"the sensor ended with exit code {code}", where=str(capture))
    programs.module("uplink", "agent", "uplink", "--state", str(lab.agent))
    clock, told = SystemClock(), -1
    deadline_ns = clock.mono_ns() + int(DELIVERY_TIMEOUT_S * 1e9)
    spooled = _spooled(lab)
    while told < spooled:
        programs.check()
        stored = page.stored()
        if stored > max(told, 0):
            say(f"uplink      {stored} of {spooled} records sealed, sent, verified, stored and acknowledged")
        told = stored
        if clock.mono_ns() > deadline_ns:
            raise LinkError("not everything arrived", todo=programs.last_words("uplink"))
        clock.sleep(0.2)


def _spooled(lab: Lab) -> int:
    from agent.spool.reader import SpoolReader  # noqa: PLC0415 - only here

    return sum(1 for _ in SpoolReader(lab.agent / "sensor" / "spool").records())


def _devices(page: Page) -> None:
    devices = sorted(
        page.ask("api/devices.json")["devices"], key=lambda d: (d["role"] == "unknown", d["role"], d["mac"])
    )
    roles = {device["role"] for device in devices} - {"unknown"}
    say(f"\n{len(devices)} devices of {len(roles)} roles")
    for device in devices:
        sure = f"{device['confidence']:4.0%}" if device["role"] != "unknown" else "   -"
        address = device["addresses"][0] if device["addresses"] else ""
        line = f"  {device['role']:<21}{sure}  {device['mac']}  {address:<16}{device['vendor']}".rstrip()
        say(line if len(line) <= width() else f"{line[: width() - 1]}…")


def _findings(page: Page) -> None:
    """What asks for a person in full; of the inventory's facts and the taps' own one of each kind, or they bury it."""
    findings = sorted(page.ask("api/findings.json")["findings"], key=lambda f: (RANK[f["severity"]], f["first_ns"]))
    severities = Counter(finding["severity"] for finding in findings)
    told = ", ".join(f"{number} {name} ({MEANS[name]})" for name, number in severities.items())
    say(f"\n{counted(len(findings), 'finding')}{': ' * bool(told)}{told}")
    alike = Counter((finding["severity"], finding["id"]) for finding in findings)
    for finding in findings:
        kind = (finding["severity"], finding["id"])
        more = alike.pop(kind, 0) - 1 if finding["severity"] in ONE_OF_A_KIND else 0
        if more < 0:
            continue
        say(f"  {finding['severity']:<7} {finding['id']}")
        for line in wrapped(finding["sentence"], width(), " " * 10):
            say(line)
        if more:
            say(f"          … and {more} more of this kind: on the page")


def _sizes(page: Page) -> None:
    told = page.ask("api/taps.json")
    say("\non the wire (signed and sealed)")
    for size in told["sizes"]:
        name = size["type"].removeprefix("wardtap/")
        say(f"  {name:<12}{size['messages']:>5} messages {size['sealed_octets']:>9,} octets")
    each = told["octets_per_device_minute"]
    if each is not None:
        text = (
            f"{each:.0f} octets of summaries for a device and minute. In its first minutes a tap also says what each "
            "device is and whom it talks to, and a small ward shares an envelope among few. A settled ward of 100 "
            "devices takes 22."
        )
        for line in wrapped(text, width(), "  "):
            say(line)


def _serve(page: Page, programs: Programs) -> None:
    say(f"\npage        {page.url}   (Ctrl-C ends the demo)")
    clock = SystemClock()
    try:
        while True:
            programs.check("uplink")
            clock.sleep(1)
    except KeyboardInterrupt:
        say()


def _run(options: argparse.Namespace, folder: Path) -> None:
    programs = Programs(folder)
    try:
        capture = Path(options.capture or WARD)
        if not capture.is_file():
            raise InputError("no such capture", where=str(capture))
        port = _port(options.port)
        page = Page(port)
        broker = _broker(options, folder, programs)
        lab = make_lab(folder / "lab", site=SITE, agent=AGENT, broker=broker, clock=SystemClock())
        say(f"keys        a site of its own in {lab.folder}")
        listen = f"127.0.0.1:{port}"
        collector = ("run", "--state", str(lab.collector), "--broker", broker, "--listen", listen)
        programs.module("collector", "agent.collector.cli", *collector)
        programs.wait_for_port("collector", port)
        say(f"collector   stores in SQLite, page on {page.url}")
        _play(lab, capture, programs, page)
        _devices(page)
        _findings(page)
        _sizes(page)
        if options.no_serve:
            say(f"\npage        it was at {page.url}; without --no-serve it stays")
        else:
            _serve(page, programs)
    finally:
        programs.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./install.sh demo", description=__doc__.splitlines()[0])
    parser.add_argument("--no-serve", action="store_true", help="end when everything has arrived")
    parser.add_argument("--capture", metavar="FILE", help="play this capture instead of the recorded ward")
    parser.add_argument("--broker", metavar="URL", help="use this MQTT broker")
    parser.add_argument(
        "--embedded", action="store_true", help="use the embedded broker even where mosquitto is installed"
    )
    parser.add_argument("--port", type=int, metavar="N", help=f"the page's port (default {PORT}, or a free one)")
    parser.add_argument("--keep", action="store_true", help="keep the demo's folder")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Entry point; errors are one line."""
    options = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="wardtap-demo-"))
    say("wardtap demo: a recorded ward -> sensor -> spool -> uplink -> MQTT -> collector\n")
    try:
        _run(options, folder)
    except WardtapError as error:
        print(f"wardtap demo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        say()
        return 130
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
