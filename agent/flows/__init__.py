"""Leaves here: biflow records and the events of their lives."""
