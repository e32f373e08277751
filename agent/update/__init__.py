"""Leaves here: a confirmed release, or the old one again."""
