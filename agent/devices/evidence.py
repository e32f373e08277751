"""What identity is made of: evidence, names, and the conclusion."""

from typing import NamedTuple


class Evidence(NamedTuple):
    """One reason. `weight` is in nats for the concluded role, after what the same family of signals already said.

    `is_token`: the value is a word of a shipped pack; else it came from the wire and may only leave as a pseudonym.
    """

    signal: str
    value: str
    weight: float
    is_token: bool


class Name(NamedTuple):
    """A name a device was heard to have. Always from the wire. `kind` is the signal it came from."""

    value: str
    kind: str


class Identity(NamedTuple):
    """What a device is taken to be. `vendor`, `model`, `os` and `contradictions` are pack words; "" = not known."""

    role: str
    confidence: float  # 0..1
    vendor: str
    model: str
    os: str
    names: tuple[Name, ...]
    evidence: tuple[Evidence, ...]  # heaviest first
    contradictions: tuple[str, ...]
