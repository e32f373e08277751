"""One line of `wardtap doctor`: how it is, what was looked at, what was found, what to do."""

from enum import StrEnum
from typing import NamedTuple

from agent.errors import WardtapError
from agent.visible import visible

LINE_MAX = 400


class Level(StrEnum):
    """From well to ill."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(NamedTuple):
    """One finding of the doctor; `kind` gives a failure its exit code."""

    level: Level
    topic: str
    where: str
    what: str
    todo: str = ""
    kind: type[WardtapError] = WardtapError

    def __str__(self) -> str:
        """One line; texts from elsewhere (names, errors) cannot break it."""
        todo = f" -> {self.todo}" if self.todo else ""
        return visible(
            f"{self.level:<5} {self.topic:<11} {self.where + ': ' if self.where else ''}{self.what}{todo}", LINE_MAX
        )


def ok(topic: str, where: str, what: str) -> Check:
    """As it should be."""
    return Check(Level.OK, topic, where, what)


def warn(topic: str, where: str, what: str, todo: str = "") -> Check:
    """It listens all the same, or it is not known."""
    return Check(Level.WARN, topic, where, what, todo)


def fail(topic: str, where: str, what: str, todo: str, kind: type[WardtapError]) -> Check:
    """It does not listen, it is not safe, or it would not last."""
    return Check(Level.FAIL, topic, where, what, todo, kind)


def failed(topic: str, error: WardtapError) -> Check:
    """An error that a part of the program raised."""
    return Check(Level.FAIL, topic, error.where, error.what, error.todo, type(error))
