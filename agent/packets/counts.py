"""What came in: frames by verdict and by leg, octets on the wire, frames that the capture cut."""

import numpy as np
import numpy.typing as npt

from agent.packets.records import IGNORED_REASONS, VERDICTS, Application, PacketFlag, Rows, Verdict
from agent.tap.records import LEGS_MAX


class FrameCounts:
    """Cumulative counts of decoded rows, taken slice by slice so that each interval has its own."""

    def __init__(self) -> None:
        self.verdicts = np.zeros(VERDICTS, np.int64)
        self.leg_frames = np.zeros(LEGS_MAX, np.int64)
        self.leg_octets = np.zeros(LEGS_MAX, np.int64)
        self.cut = 0
        self.unseen = 0  # frames of tunnels that cannot be looked into

    def add(self, rows: Rows) -> None:
        """Count a slice."""
        legs = rows["leg"]
        self.verdicts += np.bincount(rows["verdict"], minlength=VERDICTS)
        self.cut += int(np.count_nonzero(rows["flags"] & PacketFlag.CUT))
        self.unseen += int(np.count_nonzero(rows["application"] == Application.CAPWAP))
        if legs.any():
            self.leg_frames += np.bincount(legs, minlength=LEGS_MAX)
            octets = np.bincount(legs, weights=rows["wire_octets"], minlength=LEGS_MAX)  # exact: far below 2**53
            self.leg_octets += octets.astype(np.int64)
        else:
            self.leg_frames[0] += len(rows)
            self.leg_octets[0] += int(rows["wire_octets"].sum(dtype=np.int64))

    def copy(self) -> "FrameCounts":
        """A snapshot."""
        other = FrameCounts()
        other.verdicts, other.cut, other.unseen = self.verdicts.copy(), self.cut, self.unseen
        other.leg_frames, other.leg_octets = self.leg_frames.copy(), self.leg_octets.copy()
        return other

    def minus(self, before: "FrameCounts") -> "FrameCounts":
        """What came in since a snapshot."""
        other = FrameCounts()
        other.verdicts, other.cut = self.verdicts - before.verdicts, self.cut - before.cut
        other.unseen = self.unseen - before.unseen
        other.leg_frames = self.leg_frames - before.leg_frames
        other.leg_octets = self.leg_octets - before.leg_octets
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
