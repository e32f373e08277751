"""The configuration: a TOML file, read whole or refused whole.

Every key has a default that suits a ward of 100 devices, a range, and its unit in its name. A mistake is answered with
the line, the key and the nearest right name, because the person who made it stands at a tap without a manual.
"""

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from agent.config_forms import (
    Form,
    Share,
    Whole,
    Word,
    Words,
    anything,
    backend,
    broker,
    capture_filter,
    filled,
    identifier,
    leg,
    network,
    pattern,
)
from agent.config_words import line_of, nearest_key, nearest_section, shown, value_hint
from agent.errors import ConfigError
from agent.kept_toml import parse_toml

FILE_BYTES_MAX = 1 << 20  # a configuration is a page; a capture given by mistake must not be read whole
MIB = 1 << 20

# A key's type says what its value may be. These have names, because in a class a key hides the form of the same name.
Identifier = Annotated[str, Word(identifier)]
BackendName = Annotated[str, Word(backend)]
FilterText = Annotated[str, Word(capture_filter)]
BrokerUrl = Annotated[str, Word(broker)]
PathText = Annotated[str, Word(anything)]


class SiteConfig(NamedTuple):
    """Names in topics and headers; a site is a trust boundary, an agent one tap."""

    site: Identifier = "ward"
    agent: Identifier = "tap-1"


class TapConfig(NamedTuple):
    """Where frames come from."""

    legs: Annotated[tuple[str, ...], Words(leg, 1, 4)] = ("eth1",)  # a full-duplex tap has two
    buffer_bytes: Annotated[int, Whole(MIB, 1024 * MIB)] = 32 * MIB  # a quarter of a second at 1 Gbit/s
    backend: BackendName = "auto"  # the ring on Linux
    filter: FilterText = ""  # what the kernel lets through, as in pcap-filter(7); empty: all
    workers: Annotated[int, Whole(1, 4)] = 1  # threads that read and meter; beside them one judges


class MeteringConfig(NamedTuple):
    """Sizes of the fixed tables and when a flow ends."""

    flow_slots_max: Annotated[int, Whole(1024, 1 << 24, power_of_two=True)] = 131072  # 20 MB; ten times a busy ward
    edge_slots_max: Annotated[int, Whole(1024, 1 << 24, power_of_two=True)] = 131072
    device_slots_max: Annotated[int, Whole(64, 1 << 16, power_of_two=True)] = 4096
    fan_slots_max: Annotated[int, Whole(64, 1 << 20, power_of_two=True)] = 16384
    tcp_idle_timeout_s: Annotated[int, Whole(1, 86400)] = 600  # HL7 sessions stay open and send every few minutes
    udp_idle_timeout_s: Annotated[int, Whole(1, 86400)] = 120  # RFC 4787 REQ-5: two minutes
    half_open_timeout_s: Annotated[int, Whole(1, 600)] = 10  # a SYN's three tries take 7 s (RFC 6298)
    closed_timeout_s: Annotated[int, Whole(0, 600)] = 2  # late segments of a closed session
    active_timeout_s: Annotated[int, Whole(10, 86400)] = 3600


class SummariesConfig(NamedTuple):
    """How often the collector hears."""

    interval_s: Annotated[int, Whole(1, 3600)] = 60
    cards_every_s: Annotated[int, Whole(60, 86400)] = 3600  # all cards again, for a collector that started late
    edges_per_summary_max: Annotated[int, Whole(0, 65536)] = 2048  # a scan makes edges; a count says what is left out


class IdentityConfig(NamedTuple):
    """What is the site's own, and which names may leave as they are."""

    site_networks: Annotated[tuple[str, ...], Words(network, 0, 256)] = ()  # public ranges, not the internet here
    plain_name_patterns: Annotated[tuple[str, ...], Words(pattern, 0, 64)] = ()  # whole-name matches leave unhidden


class FindingsConfig(NamedTuple):
    """When the judge speaks."""

    settling_s: Annotated[int, Whole(0, 604800)] = 900  # devices seen in this time are not `new-device`
    page_confidence: Annotated[float, Share()] = 0.6  # below, a role is too unsure to wake a person
    findings_per_interval_max: Annotated[int, Whole(1, 10000)] = 50
    contracts: PathText = ""  # folder; empty: the shipped ones
    loss_warn_permille: Annotated[int, Whole(0, 1000)] = 1  # findings.md: 0.1 % warns
    loss_critical_permille: Annotated[int, Whole(0, 1000)] = 10  # and 1 % is critical


class SpoolConfig(NamedTuple):
    """What waits for the collector."""

    limit_bytes: Annotated[int, Whole(4 * MIB, 1024 * 1024 * MIB)] = 512 * MIB  # 72 h at the nominal rate
    segment_bytes: Annotated[int, Whole(128 * 1024, 16 * MIB)] = 1 * MIB  # the largest message is 64 KiB


class UplinkConfig(NamedTuple):
    """The broker and how much is on the way at once."""

    broker: BrokerUrl = "mqtts://localhost:8883"
    ca: PathText = ""  # PEM files; empty: the system's CAs, no client certificate
    certificate: PathText = ""
    key: PathText = ""
    window: Annotated[int, Whole(1, 1000)] = 20  # messages without PUBACK; the usual receive maximum of brokers is 20
    resend_after_s: Annotated[int, Whole(1, 3600)] = 30


class StateConfig(NamedTuple):
    """Where all that must survive lies."""

    directory: Annotated[str, Word(filled)] = "/var/lib/wardtap"

    @property
    def path(self) -> Path:
        """As a path."""
        return Path(self.directory)


class Config(NamedTuple):
    """The whole configuration; every value is inside its range."""

    site: SiteConfig = SiteConfig()
    tap: TapConfig = TapConfig()
    metering: MeteringConfig = MeteringConfig()
    summaries: SummariesConfig = SummariesConfig()
    identity: IdentityConfig = IdentityConfig()
    findings: FindingsConfig = FindingsConfig()
    spool: SpoolConfig = SpoolConfig()
    uplink: UplinkConfig = UplinkConfig()
    state: StateConfig = StateConfig()

    @property
    def sha256(self) -> str:
        """Hex digest of every effective value: two taps with the same are configured alike."""
        return hashlib.sha256(json.dumps(self.tables(), sort_keys=True).encode()).hexdigest()

    def tables(self) -> dict[str, dict[str, Any]]:
        """Every value by section and key."""
        return {name: section._asdict() for name, section in self._asdict().items()}


_SECTIONS: dict[str, Any] = {name: type(section) for name, section in Config()._asdict().items()}
_KEYS: dict[str, dict[str, Form]] = {
    name: {key: kind.__metadata__[0] for key, kind in section.__annotations__.items()}
    for name, section in _SECTIONS.items()
}


def default(state: Path | None = None) -> Config:
    """The configuration without a file; `state` is the state directory when it is not the usual one."""
    return Config() if state is None else Config(state=StateConfig(str(state)))


def load(path: Path) -> Config:
    """The configuration in a file. ConfigError names the file, the line, the key and what to write instead."""
    return parse(_read(path), str(path))


def parse(text: str, where: str = "configuration") -> Config:
    """The configuration in a text; `where` is the file's name for errors."""
    try:
        tables = parse_toml(text)
    except ValueError as error:
        raise _syntax_error(error, text, where) from error
    except RecursionError as error:  # tomllib descends once per bracket
        raise ConfigError("is nested too deeply to be a configuration", where=where) from error
    sections = {name: _section(text, where, name, table) for name, table in tables.items()}
    config = Config(**sections)
    _check_together(config, text, where)
    return config


def _read(path: Path) -> str:
    """A regular file of UTF-8 text; a byte order mark (editors on Windows write one) is passed over."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe is never waited for
    except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
        why = getattr(error, "strerror", None) or "not a file name"
        raise ConfigError(f"cannot be read: {why}", where=str(path)) from error
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError("is a directory, not a file", where=str(path), todo="name the file in it")
        if not stat.S_ISREG(mode):
            raise ConfigError("is not a regular file", where=str(path))
        with open(handle, "rb", closefd=False) as file:
            data = file.read(FILE_BYTES_MAX + 1)
    finally:
        os.close(handle)
    if len(data) > FILE_BYTES_MAX:
        raise ConfigError(f"has more than {FILE_BYTES_MAX} octets", where=str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", where=f"{path}:{line}", todo="save it as UTF-8") from error


def _syntax_error(error: ValueError, text: str, where: str) -> ConfigError:
    """One of ours from `Invalid value (at line 3, column 7)`; tomllib says `end of document` for the last line."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
    what, line = (found[1], found[2]) if found else (str(error), None)
    line = line or max(1, len(text.splitlines()))
    if "Cannot overwrite" in what:
        what = "the same key is set twice"
    if "Cannot declare" in what:
        what = "the same section is there twice"
    return ConfigError(what, where=f"{where}:{line}")


def _section(text: str, where: str, name: str, table: Any) -> Any:
    """One section."""
    keys = _KEYS.get(name)
    if keys is None:
        kind = "section" if isinstance(table, dict) else "key outside a section"
        place = f"{where}:{line_of(text, name)}"
        raise ConfigError(f"{shown(name)} is no {kind}", where=place, todo=nearest_section(name, _KEYS))
    if not isinstance(table, dict):
        raise ConfigError(f"{name} is a section", where=f"{where}:{line_of(text, name)}", todo=f"write [{name}]")
    values = {}
    for key, value in table.items():
        place = f"{where}:{line_of(text, name, key)}"
        form = keys.get(key)
        if form is None:
            raise ConfigError(f"{name}.{shown(key)} is no key", where=place, todo=nearest_key(name, key, _KEYS))
        try:
            values[key] = form.read(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name}.{key} {error}", where=place, todo=value_hint(key, value)) from error
    return _SECTIONS[name](**values)


def _check_together(config: Config, text: str, where: str) -> None:
    """What no single key can show."""
    findings, spool, uplink, summaries = config.findings, config.spool, config.uplink, config.summaries
    lonely = "certificate" if uplink.certificate else "key"
    rules = (
        (
            findings.loss_warn_permille > findings.loss_critical_permille,
            ("findings", "loss_warn_permille", "is above loss_critical_permille"),
        ),
        (
            spool.segment_bytes * 4 > spool.limit_bytes,
            ("spool", "segment_bytes", "is more than a quarter of limit_bytes"),
        ),
        (
            config.tap.workers > 1 and config.tap.backend == "pcapy",
            ("tap", "workers", "is above 1 with the backend pcapy, which cannot share out a leg"),
        ),
        (
            bool(uplink.certificate) != bool(uplink.key),
            ("uplink", lonely, "is set alone: certificate and key go together"),
        ),
        (
            summaries.cards_every_s < summaries.interval_s,
            ("summaries", "cards_every_s", "is shorter than interval_s"),
        ),
    )
    for wrong, (section, key, what) in rules:
        if wrong:
            raise ConfigError(f"{section}.{key} {what}", where=f"{where}:{line_of(text, section, key)}")


def to_toml(config: Config) -> str:
    """The text of a configuration: what `load` reads gives it back."""
    lines = []
    for name, section in config.tables().items():
        lines += [
            f"[{name}]",
            *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in section.items()),
            "",
        ]
    return "\n".join(lines)
