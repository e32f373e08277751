"""Octets that reach people."""


def mac_text(mac: bytes) -> str:
    """As people write them: 6, or 8 for a link without MACs; empty for a finding about the tap."""
    return mac.hex(":")
