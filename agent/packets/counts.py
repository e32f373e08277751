"""What came in: frames by verdict and by leg, octets on the wire, frames that the capture cut."""

import numpy as np
import numpy.typing as npt

from agent.packets import kernels_count
from agent.packets.records import IGNORED_REASONS, VERDICTS, Rows, Verdict
from agent.tap.records import LEGS_MAX


class FrameCounts:
    """Cumulative counts of decoded rows, taken slice by slice so that each interval has its own."""

    def __init__(self) -> None:
        self.verdicts = np.zeros(VERDICTS, np.int64)
        self.leg_frames = np.zeros(LEGS_MAX, np.int64)
        self.leg_octets = np.zeros(LEGS_MAX, np.int64)
        self._totals = np.zeros(kernels_count.TOTALS, np.int64)

    def add(self, rows: Rows) -> None:
        """Count a slice."""
        kernels_count.count_frames(rows, len(rows), self.verdicts, self.leg_frames, self.leg_octets, self._totals)

    @property
    def cut(self) -> int:
        """Frames that the capture cut."""
        return int(self._totals[kernels_count.CUT])

    @property
    def unseen(self) -> int:
        """Frames of tunnels that cannot be looked into."""
        return int(self._totals[kernels_count.UNSEEN])

    def plus(self, more: "FrameCounts") -> "FrameCounts":
        """What came in to both."""
        return self.minus(FrameCounts().minus(more))

    def copy(self) -> "FrameCounts":
        """A snapshot."""
        return self.minus(FrameCounts())

    def minus(self, before: "FrameCounts") -> "FrameCounts":
        """What came in since a snapshot."""
        other = FrameCounts()
        other.verdicts = self.verdicts - before.verdicts
        other.leg_frames = self.leg_frames - before.leg_frames
        other.leg_octets = self.leg_octets - before.leg_octets
        other._totals = self._totals - before._totals  # noqa: SLF001 - of the same class
        return other

    @property
    def frames(self) -> int:
        """All frames."""
        return int(self.verdicts.sum())

    @property
    def octets(self) -> int:
        """Octets on the wire."""
        return int(self.leg_octets.sum())

    @property
    def metered(self) -> int:
        """Frames that a flow counts."""
        return int(self.verdicts[Verdict.METERED])

    @property
    def processed(self) -> int:
        """Frames that a device (and, for IP, a flow) counts."""
        return int(self.verdicts[Verdict.METERED] + self.verdicts[Verdict.LINK])

    @property
    def duplicates(self) -> int:
        """A mirror's second copies."""
        return int(self.verdicts[Verdict.DUPLICATE])

    def ignored(self) -> dict[str, int]:
        """Frames that were not metered, by reason; reasons without frames are left out."""
        counts: npt.NDArray[np.int64] = self.verdicts
        return {reason: int(counts[verdict]) for verdict, reason in IGNORED_REASONS.items() if counts[verdict]}
