"""What a value of the configuration may be. `read` gives it back or says in a person's words what is wrong with it."""

import ipaddress
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agent.wire.schema import ID_PATTERN

_LEG = re.compile(r"[A-Za-z0-9_.:@-]{1,15}")  # IFNAMSIZ is 16 with its zero (linux/if.h)
_BROKERS_MAX = 8
_PATTERN_OCTETS_MAX = 200
_BACKENDS = ("auto", "ring", "pcapy")
_FILTER_LETTERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range."""

    low: int
    high: int
    power_of_two: bool = False

    def read(self, value: Any) -> int:
        """TypeError or ValueError says what is wrong."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"takes a whole number, not {_kind(value)}")
        if not self.low <= value <= self.high:
            raise ValueError(f"must be {self.low} to {self.high}, not {value}")
        if self.power_of_two and value & (value - 1):
            raise ValueError(f"must be a power of two, not {value}")
        return value


@dataclass(frozen=True, slots=True)
class Share:
    """A number from 0 to 1."""

    def read(self, value: Any) -> float:
        """TypeError or ValueError says what is wrong; not-a-number is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"takes a number from 0 to 1, not {_kind(value)}")
        if not math.isfinite(value) or not 0 <= value <= 1:
            raise ValueError(f"must be 0 to 1, not {value}")
        return float(value)


@dataclass(frozen=True, slots=True)
class Word:
    """Text of a form that `form` checks."""

    form: Callable[[str], None]

    def read(self, value: Any) -> str:
        """TypeError or ValueError says what is wrong."""
        if not isinstance(value, str):
            raise TypeError(f"takes text in quotes, not {_kind(value)}")
        if "\0" in value or len(value) > 4096:
            raise ValueError("is no usable text")
        self.form(value)
        return value


@dataclass(frozen=True, slots=True)
class Words:
    """A list of different texts, `fewest` to `most` of them."""

    form: Callable[[str], None]
    fewest: int
    most: int

    def read(self, value: Any) -> tuple[str, ...]:
        """TypeError or ValueError says what is wrong."""
        if not isinstance(value, list):
            raise TypeError(f"takes a list of texts, not {_kind(value)}")
        if not self.fewest <= len(value) <= self.most:
            raise ValueError(f"takes {self.fewest} to {self.most} texts, not {len(value)}")
        words = tuple(self._read_one(place, item) for place, item in enumerate(value, 1))
        if len(set(words)) != len(words):
            raise ValueError("has the same text twice")
        return words

    def _read_one(self, place: int, item: Any) -> str:
        try:
            return Word(self.form).read(item)
        except (TypeError, ValueError) as error:
            raise ValueError(f"entry {place}: {error}") from error


Form = Whole | Share | Word | Words


def _kind(value: Any) -> str:
    """What a person would call this TOML value."""
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def anything(_text: str) -> None:
    """No form: a path that is tried when it is used."""


def identifier(text: str) -> None:
    """An id of topics and headers. ValueError otherwise."""
    if not ID_PATTERN.fullmatch(text):
        raise ValueError(f"must be 1 to 32 of a-z, 0-9 and -, not {text[:60]!r}")


def leg(text: str) -> None:
    """A name that Linux allows for an interface. ValueError otherwise."""
    if not _LEG.fullmatch(text) or text in {".", ".."}:
        raise ValueError(f"{text[:60]!r} is no name of a network interface")


def backend(text: str) -> None:
    """A capture backend of this release. ValueError otherwise."""
    if text not in _BACKENDS:
        raise ValueError(f"must be {', '.join(_BACKENDS[:-1])} or {_BACKENDS[-1]}, not {text[:60]!r}")


def capture_filter(text: str) -> None:
    """What libpcap may make a filter of; it is compiled when it is used. ValueError otherwise."""
    if len(text) > _FILTER_LETTERS_MAX or not text.isprintable():
        raise ValueError(f"a filter has at most {_FILTER_LETTERS_MAX} printable letters")
    if re.search(r"\bvlan\b", text):  # the offsets behind it would be wrong as well
        raise ValueError("cannot ask for vlan: the kernel takes the tag out of a frame before it filters")


def network(text: str) -> None:
    """An IP network without host bits. ValueError otherwise."""
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        why = " (it has host bits set)" if "host bits" in str(error) else ""  # the library's text repeats all of ours
        raise ValueError(f"{text[:60]!r} is no network such as 203.0.113.0/24{why}") from error


def pattern(text: str) -> None:
    """A regular expression. ValueError otherwise."""
    if not text or len(text.encode()) > _PATTERN_OCTETS_MAX:
        raise ValueError(f"a pattern has 1 to {_PATTERN_OCTETS_MAX} octets")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text[:60]!r} is no regular expression ({error})") from error


def broker(text: str) -> None:
    """An address of a broker, or of the members of a cluster: `mqtts://a:8883,b:8883`. ValueError otherwise."""
    scheme, _, hosts = text.partition("://")
    members = hosts.split(",")
    if len(members) > _BROKERS_MAX:
        raise ValueError(f"names at most {_BROKERS_MAX} brokers")
    for member in members:
        _one_broker(f"{scheme}://{member}")


def _one_broker(text: str) -> None:
    """No path, no password in it (it would end in logs)."""
    try:
        url = urlsplit(text)
        usable = url.scheme in {"mqtt", "mqtts"} and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        usable = False
    if not usable or url.path not in {"", "/"} or url.query or url.fragment or "@" in url.netloc:
        raise ValueError(f"must be mqtts://host:port (or mqtt:// on a test bench), not {text[:60]!r}")


def filled(text: str) -> None:
    """Not empty. ValueError otherwise."""
    if not text:
        raise ValueError("must not be empty")
