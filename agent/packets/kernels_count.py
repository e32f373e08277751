"""Count: PACKET rows -> frames by verdict, frames and octets by leg, and two totals.

Before: decoded rows. After: every row is counted once. Cost: one pass over rows that the next stage needs anyway.
"""

from agent.jit import Words, brief
from agent.packets.records import Application, PacketFlag, Rows

F_CUT, CAPWAP = int(PacketFlag.CUT), int(Application.CAPWAP)
CUT, UNSEEN, TOTALS = 0, 1, 2  # columns of `totals`


@brief
def count_frames(rows: Rows, count: int, verdicts: Words, leg_frames: Words, leg_octets: Words, totals: Words) -> None:
    """Add rows[:count]: by verdict, by leg (frames, octets on the wire), those cut, those of sealed tunnels."""
    for i in range(count):
        row = rows[i]
        leg = row["leg"] & (len(leg_frames) - 1)
        verdicts[row["verdict"]] += 1
        leg_frames[leg] += 1
        leg_octets[leg] += row["wire_octets"]
        totals[CUT] += row["flags"] & F_CUT != 0
        totals[UNSEEN] += row["application"] == CAPWAP
