"""Where the payload of a frame starts."""

from agent.packets.hints.link_frame import payload_start


def test_behind_no_one_and_three_tags() -> None:
    macs = bytes(12)
    assert payload_start(macs + b"\x88\xcc") == (0x88CC, 14)
    assert payload_start(macs + b"\x81\x00\x00\x07\x88\xcc") == (0x88CC, 18)
    assert payload_start(macs + b"\x81\x00\x00\x07" * 3 + b"\x88\xcc") == (0x88CC, 26)


def test_a_fourth_tag_is_not_followed() -> None:
    assert payload_start(bytes(12) + b"\x81\x00\x00\x07" * 4 + b"\x88\xcc")[0] == 0x8100
