"""Leaves here: commands that were verified, are allowed, were never executed before and stand in the audit log."""
