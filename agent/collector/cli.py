"""`wardtap-collector`: run, dump, counts. Errors are one line on standard error; exit codes: agent/errors.py."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from agent import __version__
from agent.clock import SystemClock
from agent.collector import queries
from agent.collector.config import KEY_NAME, LISTEN, CollectorConfig, NotifyConfig
from agent.collector.notify.records import Settings as NotifySettings
from agent.collector.service import serve
from agent.collector.store.reader import reading
from agent.collector.subscriber import BrokerSettings
from agent.command_line import described, ended
from agent.last_words import leave_nothing
from agent.visible import visible
from agent.wire.topics import up_filter


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    if arguments is None:  # nobody else's code runs in this process
        leave_nothing("wardtap-collector")
    options = described(_parser()).parse_args(arguments)
    return ended("wardtap-collector", lambda: int(options.do(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtap-collector", description="Stores, shows and tells what taps report.")
    parser.add_argument("--version", action="version", version=f"wardtap-collector {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _run_options(commands.add_parser("run", help="receive, verify, store, acknowledge, show"))
    dump = commands.add_parser("dump", help="every stored record, one JSON object a line")
    dump.add_argument("--state", type=Path, required=True, metavar="DIR")
    dump.add_argument("--json", action="store_true", help="the only form there is")
    dump.add_argument("--devices", action="store_true", help="instead every device: what it is and how it stands")
    dump.set_defaults(do=_dump)
    counts = commands.add_parser("counts", help="records, duplicates, refusals by reason")
    counts.add_argument("--state", type=Path, required=True, metavar="DIR")
    counts.add_argument("--json", action="store_true", help="the only form there is")
    counts.set_defaults(do=_counts)
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_run)
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="database, key and lock live here")
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtt://host:1883 or mqtts://host:8883")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="signed trust table (default: DIR/trust.bin)")
    parser.add_argument("--root", type=Path, metavar="FILE", help="release keys (default: trust-root.json beside it)")
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"the collector's key (default: DIR/{KEY_NAME})")
    parser.add_argument("--listen", default=LISTEN, metavar="HOST:PORT", help=f"the page's address (default: {LISTEN})")
    parser.add_argument("--no-web", action="store_true", help="no page")
    parser.add_argument(
        "--filter", action="append", metavar="TOPIC", help="topic filter, may be $share/...; repeatable"
    )
    parser.add_argument("--client-id", default="wardtap-collector", help="MQTT client id; one per collector")
    for name in ("ca", "certificate", "tls-key"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help="for mqtts")
    notify = parser.add_argument_group("telling somebody")
    notify.add_argument("--notify-webhook", default="", metavar="URL", help="POST each message as JSON")
    notify.add_argument("--notify-smtp", default="", metavar="HOST:PORT", help="the site's mail relay")
    notify.add_argument("--notify-to", action="append", default=[], metavar="ADDRESS", help="repeatable")
    notify.add_argument("--notify-from", default="", metavar="ADDRESS", help="default: the first recipient")
    notify.add_argument("--notify-starttls", action="store_true", help="refuse to send in clear")
    notify.add_argument("--notify-severity", action="append", metavar="NAME", help="default: page; repeatable")
    timing = NotifySettings()
    notify.add_argument(
        "--notify-wait", type=float, default=timing.group_wait_s, metavar="S", help="let repeats gather"
    )
    notify.add_argument("--notify-repeat", type=float, default=timing.repeat_s, metavar="S", help="tell again after")
    notify.add_argument("--notify-max", type=int, default=timing.messages_max, metavar="N", help="in ten minutes")


def _run(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    serve(_config(options), SystemClock(), stop, _say)
    return 0


def _config(options: argparse.Namespace) -> CollectorConfig:
    trust = options.trust or options.state / "trust.bin"
    timing = NotifySettings(
        group_wait_s=options.notify_wait, repeat_s=options.notify_repeat, messages_max=max(1, options.notify_max)
    )
    return CollectorConfig(
        state=options.state,
        broker=BrokerSettings(
            url=options.broker,
            filters=tuple(options.filter or (up_filter(),)),
            client_id=options.client_id,
            ca=options.ca,
            certificate=options.certificate,
            key=options.tls_key,
        ),
        trust=trust,
        root=options.root or trust.with_name("trust-root.json"),
        key=options.key or options.state / KEY_NAME,
        listen="" if options.no_web else options.listen,
        notify=NotifyConfig(
            webhook=options.notify_webhook,
            smtp=options.notify_smtp,
            sender=options.notify_from,
            recipients=tuple(options.notify_to),
            starttls=options.notify_starttls,
            severities=tuple(options.notify_severity or ("page",)),
            timing=timing,
        ),
    )


def _dump(options: argparse.Namespace) -> int:
    with reading(options.state) as reader:
        for answer in queries.all_devices(reader) if options.devices else queries.dump(reader):
            print(json.dumps(answer))
    return 0


def _counts(options: argparse.Namespace) -> int:
    with reading(options.state) as reader:
        print(json.dumps(queries.counts(reader)))
    return 0


def _say(text: str) -> None:
    print(f"wardtap-collector: {visible(text, 1000)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
