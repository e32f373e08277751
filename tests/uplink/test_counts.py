"""Counters fit the report whatever their number and names."""

from agent.uplink.counts import NAME_OCTETS, NAMES_MAX, LinkCounts, merged
from agent.wire.presence import UPLINK, UplinkReport


def test_groups_become_one_flat_table() -> None:
    link = LinkCounts(links=2)
    link.refuse("ack", "wrong-agent")
    link.refuse("ack", "wrong-agent")
    table = merged({"link": link, "command": {"accepted": 3}, "own": {"last_error": "text"}})
    assert table["link-links"] == 2
    assert table["link-refused-ack-wrong-agent"] == 2
    assert table["command-accepted"] == 3
    assert "own-last-error" not in table


def test_never_more_or_longer_names_than_the_wire_takes() -> None:
    table = merged(
        {"x" * 30: {f"{number:030d}": number for number in range(500)}, "y": {str(n): n for n in range(500)}}
    )
    assert len(table) <= NAMES_MAX
    assert all(len(name) <= NAME_OCTETS for name in table)
    UPLINK.check(UplinkReport(counts=table).to_content(), "report")
