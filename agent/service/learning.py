"""The sensor's side of learning: the saved baseline, and what people order of it.

The state lies in `sensor/baseline` of the state folder. A damaged file is put aside (`baseline.damaged`) and learning
begins anew: a tap that does not start because of its memory would be worse than one that has forgotten.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.clock import NS_PER_S
from agent.commands.requests import Request
from agent.devices.baseline import Baseline, Order, Phase
from agent.devices.baseline_file import Window, encode, read
from agent.devices.roles import ROLES
from agent.findings.engine import Engine
from agent.findings.settings import ChangeWindow
from agent.service.saver import KeptFile, SaveThread, Say

SAVE_EVERY_S: Final = 900  # a power cut costs a quarter of an hour of learning
NAME: Final = "baseline"


def baseline_path(state: Path) -> Path:
    """Where what was learned lies."""
    return state / "sensor" / NAME


def learning_text(baseline: Baseline) -> str:
    """How far each role is, for a person: `infusion-pump settled 99 %, printer learning 71 %`."""
    told = ((baseline.roles[number], baseline.learned(baseline.roles[number])) for number in sorted(baseline.pools))
    return ", ".join(f"{role} {far.phase.value} {int(far.confidence * 100)} %" for role, far in told)


def learning_short(baseline: Baseline) -> str:
    """The same in a summary's 72 characters: `2 learning, 1 settled; least sure printer 71 %`."""
    told = [(baseline.learned(baseline.roles[n]), baseline.roles[n]) for n in sorted(baseline.pools)]
    if not told:
        return "nothing yet"
    phases = [sum(far.phase is phase for far, _ in told) for phase in Phase]
    counted = ", ".join(f"{count} {phase.value}" for count, phase in zip(phases, Phase, strict=True) if count)
    least, role = min((far.confidence, role) for far, role in told)
    return f"{counted}; least sure {role} {int(least * 100)} %"


class BaselineKeeper:
    """Reads the state once, saves it on a thread of its own, and carries out orders. Capture never waits for a disk."""

    def __init__(self, path: Path, say: Say, shared: SaveThread | None = None) -> None:
        """Read what was saved; a damaged file is put aside, said and counted."""
        self.path, self._say = path, say
        self.refused = 0  # orders that name no role we know
        self._file = KeptFile(path, say, shared, SAVE_EVERY_S)
        new: tuple[Baseline, tuple[Window, ...]] = Baseline(ROLES), ()
        self.baseline, self.windows = self._file.read(lambda place: read(place, ROLES), new, "learning begins anew")
        self._told = ""

    @property
    def failed(self) -> int:
        """Saves that the disk refused."""
        return self._file.failed

    @property
    def damaged(self) -> int:
        """Files that were refused."""
        return self._file.damaged

    def begin(self, engine: Engine) -> Callable[[], dict[str, int | str]]:
        """Change windows that were declared before the restart hold on. Returns what summaries tell of learning."""
        for window in self.windows:
            engine.declare(ChangeWindow(*window))
        return lambda: {
            "learning": learning_short(self.baseline),
            "learning_damaged": self.damaged,
            "learning_refused": self.baseline.refused,
            "learning_aged": sum(pool.aged for pool in self.baseline.pools.values()),
            "learning_frozen_intervals": engine.frozen_intervals,
            "learning_save_errors": self.failed,
        }

    def order(self, request: Request, engine: Engine, now_ns: int) -> bool:
        """Carry out a request of the folder; whether it was one of ours. Its form was checked, its role is not yet."""
        if request.name not in {"set-learning", "change-window"}:
            return False
        role = request.args.get("role", ROLES[0])
        if role not in ROLES and not (role == "*" and request.name == "change-window"):
            self.refused += 1
            self._say(f"{request.name}: {role!r} is no role; nothing was done")
            return True
        if request.name == "change-window":
            start_ns, end_ns = (request.args[name] * NS_PER_S for name in ("start_s", "end_s"))
            engine.declare(ChangeWindow(role, start_ns, end_ns))
        elif "role" in request.args:
            self.baseline.order_role(Order(request.args["action"]), role)
        else:
            mac = int(request.args["device"].replace(":", ""), 16)
            self.baseline.order_device(Order(request.args["action"]), mac, now_ns)
        self._say(f"{request.name}: {', '.join(f'{key} {value}' for key, value in sorted(request.args.items()))}")
        self.save(engine)
        return True

    def look(self, engine: Engine, now_s: int) -> None:
        """Once a second: save what is due."""
        if self._file.is_due(now_s, changed=self.baseline.changed):
            self.save(engine)
            told, self._told = self._told, learning_text(self.baseline)
            if self._told != told:
                self._say(f"learning: {self._told}")

    def save(self, engine: Engine) -> None:
        """Hand the present state to the thread; one waits at most."""
        self.baseline.changed = False
        windows = tuple(Window(*window) for window in engine.settings.change_windows)
        self._file.save(encode(self.baseline, windows))

    def close(self, engine: Engine) -> None:
        """Save for the last time; a disk that does not answer is not waited for."""
        self.save(engine)
        self._file.close()
