"""Leaves here: one summary per interval, through the last gate."""
