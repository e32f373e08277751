"""Leaves here: one decoded row per frame, and the payloads that are news."""
