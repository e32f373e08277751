"""What a detector hands to the engine: a finding and what it is about, so that repeats and relatives can fold."""

from typing import NamedTuple

from agent.findings.records import Finding, Severity


class Group(NamedTuple):
    """Findings that may be one cause: once `at_least` different members were seen, all further ones fold into one."""

    key: str  # the cause of the folded finding
    member: str  # what makes this one different from the others
    at_least: int  # 1: the first speaks for all that follow
    phrase: str  # `{n} infusion pumps`, filled with the number of members


class Subject(NamedTuple):
    """What a finding is about. Zero or empty: not said."""

    mac: int
    peer_mac: int = 0
    peer: str = ""
    protocol: int = 0
    port: int = 0


class Draft(NamedTuple):
    """A finding before folding; its `count` is what this turn adds."""

    finding: Finding
    subject: Subject
    groups: tuple[Group, ...] = ()
    explains: tuple[Subject, ...] = ()  # open findings about these are this one's evidence
    part_of: tuple[str, ...] = ()  # causes this one is a piece of, if one of them is open


RANK: dict[Severity, int] = {Severity.PAGE: 3, Severity.REVIEW: 2, Severity.HEALTH: 1, Severity.POSTURE: 0}
