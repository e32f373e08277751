"""The site's suppressions: of the packs in force, which were verified before the sensor saw them, and ordered ones.

Packs are looked for twice a minute, so that what somebody has just explained need not wait for a restart. A file that
cannot be used leaves what was in force before: nobody is called more, and nothing is held back that was not. What is
ordered by command holds from the next second on.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from agent.clock import NS_PER_S
from agent.commands.requests import Request
from agent.devices.roles import ROLES
from agent.devices.site_packs import in_force
from agent.errors import ConfigError, InputError, Refused
from agent.findings.engine import Engine
from agent.findings.suppressions import RULES_MAX, Explained
from agent.findings.suppressions_file import FILE_MAX_BYTES, SUPPRESSIONS, parse_suppressions
from agent.findings.words import time_text
from agent.service.saver import Say
from agent.service.suppression_orders import SuppressionOrders

LOOK_EVERY_S: Final = 30


def read_explained(folders: Iterable[Path]) -> Explained:
    """What these packs explain, together. ConfigError names the folder and the row that cannot be used."""
    found: list[Explained] = []
    for folder in folders:
        path = folder / SUPPRESSIONS
        if not path.is_file():
            continue
        try:
            data = path.read_bytes()[: FILE_MAX_BYTES + 1]
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
        if len(data) > FILE_MAX_BYTES:
            raise ConfigError(f"longer than {FILE_MAX_BYTES} octets", where=str(path))
        found.append(parse_suppressions(text, ROLES))
    suppressions = tuple(rule for explained in found for rule in explained.suppressions)
    return Explained(suppressions, tuple(window for explained in found for window in explained.windows))


class SuppressionKeeper:
    """Hands the engine what the site has explained, whenever it is another than before."""

    def __init__(self, state: Path, say: Say) -> None:
        self._state, self._say = state, say
        self._looked_s = 0
        self._folders: list[Path] = []
        self._engine: Engine | None = None
        self._told = ""
        self._orders, self._packs = SuppressionOrders(state), Explained()
        self._changed = bool(self._orders.held)

    def look(self, engine: Engine, now_s: int) -> None:
        """Once a second; it looks twice a minute. A pack's folder is named by its serial and never written again."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s, self._engine = now_s, engine
        self._changed |= self._orders.forget_over(now_s * NS_PER_S)
        self._read_packs()
        if self._changed:
            self._apply(engine)

    def order(self, request: Request, engine: Engine, now_ns: int) -> dict[str, Any]:
        """`suppress` and `unsuppress`: what the receipt tells. Refused or OSError, and then nothing has changed."""
        if request.name == "unsuppress":
            gone = self._orders.take_away(request.args["suppression"])
            told: dict[str, Any] = {"suppression": gone.order, "finding": gone.rule.id}
        else:
            made = self._orders.made_from(request, now_ns)
            if len(self._packs.suppressions) + len(self._orders.held) >= RULES_MAX:
                raise Refused(f"{RULES_MAX} are in force", reason="busy")
            self._orders.put(made, now_ns)
            told = {"suppression": made.order, "finding": made.rule.id, "until": time_text(made.rule.end_ns)}
            told["owner"] = made.rule.owner
        self._engine = engine
        self._apply(engine)
        self._say(f"{request.name}: {', '.join(f'{key} {value}' for key, value in sorted(told.items()))}")
        return told

    def _read_packs(self) -> None:
        folders = in_force(self._state)
        if folders == self._folders:
            return
        try:
            explained = read_explained(folders)
        except InputError as error:
            self._tell(f"suppressions stay as they were: {error}")
            return
        self._folders, self._packs, self._changed = folders, explained, True
        self._tell(f"{len(explained.suppressions)} suppressions and {len(explained.windows)} change windows declared")

    def _apply(self, engine: Engine) -> None:
        self._changed = False
        rules = (*self._packs.suppressions[: RULES_MAX - len(self._orders.held)], *self._orders.rules)
        engine.explain(Explained(rules, self._packs.windows))

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._say(text)

    def health(self) -> dict[str, int]:
        """What summaries tell: how many are in force, and how much they held back. Nothing when there are none."""
        silence = self._engine.silence if self._engine else None
        if silence is None or not (silence.rules or silence.held_back):
            return {}
        return {"suppressions": len(silence.rules), "findings_suppressed": silence.held_back}
