"""Findings leave here: what a device did that it should not, in one plain sentence with its evidence."""
