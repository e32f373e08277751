"""Leaves here: sealed bytes to the broker, sealed bytes from it; nothing here looks inside a summary."""
