"""Leaves here: devices, whom they talk to, and who they are."""
